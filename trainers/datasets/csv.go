package datasets

import (
	"bufio"
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

// What a table may hold: the text's bytes and the numbers. Slice, the largest
// set, has 20.7 million numbers in some 80 MB of text.
const (
	csvMaxBytes  = maxBytes
	csvMaxValues = 1 << 26
)

// byteOrderMark is what spreadsheets put before UTF-8 text.
const byteOrderMark = "\ufeff"

// DecodeCSV reads comma-separated numbers, one row a line; with header set, the
// first line holds the column names. A byte order mark before the text, spaces
// around fields, quotes and empty lines are accepted. Rows of different lengths
// and fields that are not finite numbers are errors that name the line. A nil
// reader, text without any data row, more than 512 MB of text, and more than
// 2²⁶ numbers are errors too.
func DecodeCSV(r io.Reader, header bool) (Table, error) {
	return decodeCSV(r, header, csvMaxBytes, csvMaxValues)
}

func decodeCSV(r io.Reader, header bool, maxText int64, maxValues int) (Table, error) {
	if r == nil {
		return Table{}, errors.New("csv: nil reader")
	}
	text := bufio.NewReader(&cappedReader{r: r, left: maxText, max: maxText})
	if mark, _ := text.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		text.Discard(len(byteOrderMark)) // cannot fail, the bytes are there
	}
	cr := csv.NewReader(text)
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
		if len(record) > maxValues-len(t.Values) {
			return Table{}, errors.Errorf("csv: line %d: more than %d numbers", line, maxValues)
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
		names[i] = strings.TrimSpace(field)
	}
	return names
}
