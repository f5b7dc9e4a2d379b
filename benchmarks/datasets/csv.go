package datasets

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// Table is a matrix of numbers read from comma-separated text.
type Table struct {
	// Names holds the column names of the header, nil without one.
	Names []string
	// Rows and Cols are at least 1.
	Rows, Cols int
	// Values holds Rows*Cols finite numbers row by row.
	Values []float64
}

// DecodeCSV reads comma-separated numbers, one row a line; with header set, the
// first line holds the column names. Spaces around fields, quotes and empty
// lines are accepted. Rows of different lengths, fields that are not finite
// numbers, and text without any data row are errors that name the line.
func DecodeCSV(r io.Reader, header bool) (Table, error) {
	cr := csv.NewReader(r)
	cr.FieldsPerRecord = -1 // compared below, for a message with both lengths
	cr.ReuseRecord = true
	cr.TrimLeadingSpace = true

	var t Table
	for {
		record, err := cr.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Table{}, errors.Wrap(err, "csv")
		}
		line, _ := cr.FieldPos(0)
		if t.Cols == 0 {
			t.Cols = len(record)
			if header {
				t.Names = columnNames(record)
				continue
			}
		}
		if len(record) != t.Cols {
			return Table{}, errors.Errorf("csv: line %d has %d fields, the first has %d", line, len(record), t.Cols)
		}
		for i, field := range record {
			v, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return Table{}, errors.Errorf("csv: line %d, field %d: %.40q is not a finite number", line, i+1, field)
			}
			t.Values = append(t.Values, v)
		}
		t.Rows++
	}
	if t.Rows == 0 {
		return Table{}, errors.New("csv: no data rows")
	}
	return t, nil
}

func columnNames(record []string) []string {
	names := make([]string, len(record))
	for i, field := range record {
		names[i] = strings.TrimSpace(strings.TrimPrefix(field, "\ufeff"))
	}
	return names
}
