package datasets

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

func TestDecodeCSV(t *testing.T) {
	tests := []struct {
		name, text string
		header     bool
		names      []string
		rows, cols int
		values     []float64
	}{
		{"plain", "1,2\n3,4.5\n", false, nil, 2, 2, []float64{1, 2, 3, 4.5}},
		{"no final newline", "1,2\n3,4", false, nil, 2, 2, []float64{1, 2, 3, 4}},
		{"one column", "1\n\n-2e3\n", false, nil, 2, 1, []float64{1, -2000}},
		{"quoted header", "\"a\",\"b c\"\r\n1, 2 \r\n", true, []string{"a", "b c"}, 1, 2, []float64{1, 2}},
		{"byte order mark", "\ufeffa,b\n1,2\n", true, []string{"a", "b"}, 1, 2, []float64{1, 2}},
		{"mark before a quoted header", "\ufeff\"a, b\",\"c\"\n1,2\n", true, []string{"a, b", "c"}, 1, 2, []float64{1, 2}},
		{"mark without header", "\ufeff1,2\n3,4\n", false, nil, 2, 2, []float64{1, 2, 3, 4}},
		{"mark before a quoted number", "\ufeff\"1\",\"2\"\r\n3,4\r\n", false, nil, 2, 2, []float64{1, 2, 3, 4}},
		{"mark before an empty line", "\ufeff\r\na,b\r\n1,2\r\n", true, []string{"a", "b"}, 1, 2, []float64{1, 2}},
		{"mark before empty lines without header", "\ufeff\n\n1,2\n", false, nil, 1, 2, []float64{1, 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			table, err := DecodeCSV(strings.NewReader(test.text), test.header)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(table.Names, test.names) || table.Rows != test.rows || table.Cols != test.cols ||
				!slices.Equal(table.Values, test.values) {
				t.Errorf("got %+v", table)
			}
		})
	}
}

func TestDecodeCSVErrors(t *testing.T) {
	tests := []struct {
		name, text string
		header     bool
		want       string
	}{
		{"empty", "", false, "no data rows"},
		{"mark only", "\ufeff", false, "no data rows"},
		{"half a mark", "\xef\xbb1,2\n", false, "line 1, field 1"},
		{"mark twice", "\ufeff\ufeff1,2\n", false, "line 1, field 1"},
		{"blank", "\n\n", false, "no data rows"},
		{"header only", "a,b\n", true, "no data rows"},
		{"short row", "1,2\n3\n", false, "line 2 has 1 fields, the first has 2"},
		{"long row", "a,b\n1,2\n1,2,3\n", true, "line 3 has 3 fields, the first has 2"},
		{"header as data", "a,b\n1,2\n", false, "line 1, field 1: \"a\""},
		{"word", "1,2\n3,x\n", false, "line 2, field 2: \"x\""},
		{"empty field", "1,2\n3,\n", false, "line 2, field 2: \"\""},
		{"not a number", "1,NaN\n", false, "\"NaN\" is not a finite number"},
		{"infinite", "-Inf,1\n", false, "\"-Inf\" is not a finite number"},
		{"out of range", "1e999,1\n", false, "\"1e999\" is not a finite number"},
		{"open quote", "\"1,2\n3,4\n", false, "csv: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := DecodeCSV(strings.NewReader(test.text), test.header)
			errortest.Want(t, err, test.want)
		})
	}
}

// TestCSVLimits has a text that goes on for ever, one with more numbers than
// allowed, and a reader that is none.
func TestCSVLimits(t *testing.T) {
	_, err := decodeCSV(endless("1,2\n"), false, 1e5, 1e6)
	errortest.Want(t, err, "csv: ", "more than 100000 bytes")
	_, err = decodeCSV(endless("1,"), false, 1e5, 1e6) // one row without end
	errortest.Want(t, err, "csv: ", "more than 100000 bytes")
	_, err = decodeCSV(endless("1,2\n"), false, 1e6, 101)
	errortest.Want(t, err, "csv: line 51: more than 101 numbers")
	if table, err := decodeCSV(strings.NewReader("1,2\n3,4\n"), false, 8, 4); err != nil || table.Rows != 2 {
		t.Errorf("at the limits: %+v, %v", table, err)
	}
	_, err = DecodeCSV(nil, true)
	errortest.Want(t, err, "csv: nil reader")
}

// endless is text that repeats.
type endless string

func (e endless) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		n += copy(b[n:], e)
	}
	return n, nil
}

func FuzzCSV(f *testing.F) {
	for _, text := range []string{"", "1,2\n3,4\n", "a,b\n1,2\n", "1\n\n2", "\"1\",2\r\n", "1,2\n3\n", "NaN,1e999\n", "0x1p-2,1_0\n"} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, header bool) {
		table, err := DecodeCSV(strings.NewReader(text), header)
		if err != nil {
			return
		}
		if table.Rows < 1 || table.Cols < 1 || len(table.Values) != table.Rows*table.Cols {
			t.Fatalf("%d×%d table with %d values", table.Rows, table.Cols, len(table.Values))
		}
		if header != (table.Names != nil) || header && len(table.Names) != table.Cols {
			t.Fatalf("%d names for %d columns", len(table.Names), table.Cols)
		}
		for _, v := range table.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("value %v", v)
			}
		}
	})
}
