package datasets

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
	"gorgonia.org/tensor"
)

func TestTableSet(t *testing.T) {
	s := tableSet{target: "y", drop: "z", inputs: 2}
	for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		data, err := s.decode(dtype, []byte("a,y,z,b\n1,10,0,5\n3,30,0,5\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(data.X.Data(), data.T.Data()), "[-1 0 1 0] [-1 1]"; got != want {
			t.Errorf("%v: got %s, want %s", dtype, got, want)
		}
		if !data.X.Shape().Eq(tensor.Shape{2, 2}) || !data.T.Shape().Eq(tensor.Shape{2, 1}) ||
			data.X.Dtype() != dtype || data.T.Dtype() != dtype {
			t.Errorf("%v: shapes %v and %v", dtype, data.X.Shape(), data.T.Shape())
		}
	}
}

func TestTableSetErrors(t *testing.T) {
	s := tableSet{target: "y", drop: "z", inputs: 2}
	tests := []struct{ name, text, want string }{
		{"no target", "a,b,z\n1,2,3\n", `no column "y"`},
		{"no dropped column", "a,b,y\n1,2,3\n", `no column "z"`},
		{"one input too few", "a,y,z\n1,2,3\n", "1 input columns, want 2"},
		{"ragged", "a,b,y,z\n1,2,3,4\n1,2,3\n", "line 3 has 3 fields"},
		{"huge inputs", "a,b,y,z\n1e300,1,1,1\n-1e300,1,2,1\n", "inputs: column 1"},
		{"huge target", "a,b,y,z\n1,1,1e300,1\n1,1,-1e300,1\n", "target: column 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.decode(tensor.Float64, []byte(test.text))
			errortest.Want(t, err, test.want)
		})
	}
}

func TestOneRowSet(t *testing.T) {
	data, err := tableSet{target: "y", inputs: 1}.decode(tensor.Float64, []byte("a,y\n1,2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := data.Check(); err != nil {
		t.Error(err)
	}
}

// sliceText makes a file in the form of Slice with the given number of rows.
func sliceText(rows int) string {
	var b strings.Builder
	b.WriteString("patientId,")
	for i := range 384 {
		fmt.Fprintf(&b, "value%d,", i)
	}
	b.WriteString("reference\n")
	zeros := strings.Repeat("0,", 384)
	for i := range rows {
		fmt.Fprintf(&b, "%d,%s%d\n", i%97, zeros, i%180)
	}
	return b.String()
}

func TestSliceNeedsTheFullFile(t *testing.T) {
	t.Setenv(dirVariable, "")
	dir := t.TempDir()
	opts := []Option{WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload()}
	excerpt := gzipped(t, sliceText(682))

	// Under a name of its own the excerpt is not seen, under that of the full
	// file it is refused.
	writeFile(t, filepath.Join(dir, "uci", "slice", "slice_localization_data.first682.csv.gz"), excerpt)
	_, err := Slice(t.Context(), tensor.Float32, opts...)
	errortest.Want(t, err, "slice_localization_data.csv", "the full file of 53500 rows is needed")
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("cause of %q is not ErrNotFound", err)
	}
	path := filepath.Join(dir, "uci", "slice", "slice_localization_data.csv.gz")
	writeFile(t, path, excerpt)
	for _, opts := range [][]Option{opts, append(opts, WithoutChecksum())} {
		_, err = Slice(t.Context(), tensor.Float32, opts...)
		errortest.Want(t, err, path, "682 data rows, the full file has 53500")
	}
}

func TestSliceFromArchive(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes 20 million numbers")
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "slice_localization_data.zip"), zipped(t, "slice_localization_data.csv", sliceText(53500)))
	data, err := Slice(t.Context(), tensor.Float32, WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload())
	if err != nil {
		t.Fatal(err)
	}
	if !data.X.Shape().Eq(tensor.Shape{53500, 385}) || !data.T.Shape().Eq(tensor.Shape{53500, 1}) {
		t.Errorf("shapes %v and %v", data.X.Shape(), data.T.Shape())
	}
}

// checkStandardised compares column means with 0 and mean squares with 1.
func checkStandardised(t *testing.T, m *tensor.Dense) {
	t.Helper()
	cols, values := m.Shape()[1], m.Data().([]float64)
	rows := float64(m.Shape()[0])
	for c := range cols {
		sum, squares := 0.0, 0.0
		for i := c; i < len(values); i += cols {
			sum += values[i]
			squares += values[i] * values[i]
		}
		if math.Abs(sum/rows) > 1e-9 || math.Abs(squares/rows-1) > 1e-9 {
			t.Errorf("column %d has mean %g and mean square %g", c, sum/rows, squares/rows)
		}
	}
}

func TestPublishedRegressionSets(t *testing.T) {
	dataFolder(t)
	tests := []struct {
		name         string
		load         func() (batch.Data, error)
		rows, inputs int
		// The first row, and mean and deviation of the whole column, of an
		// input and of the target in the file.
		column                int
		input, inMean, inDev  float64
		target, tMean, tDevia float64
	}{
		{
			name:   "Protein",
			load:   func() (batch.Data, error) { return Protein(t.Context(), tensor.Float64, WithoutDownload()) },
			rows:   45730,
			inputs: 9,
			column: 0, input: 13558.3, inMean: 9871.5969954079, inDev: 4058.0936633822,
			target: 17.284, tMean: 7.7485284277, tDevia: 6.1182447790,
		},
		{
			name:   "Parkinsons",
			load:   func() (batch.Data, error) { return Parkinsons(t.Context(), tensor.Float64, WithoutDownload()) },
			rows:   5875,
			inputs: 20,
			column: 1, input: 72, inMean: 64.8049361702, inDev: 8.8207729371,
			target: 34.398, tMean: 29.0189422809, tDevia: 10.6993725511,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := published(t, test.load)
			if !data.X.Shape().Eq(tensor.Shape{test.rows, test.inputs}) || !data.T.Shape().Eq(tensor.Shape{test.rows, 1}) {
				t.Fatalf("shapes %v and %v", data.X.Shape(), data.T.Shape())
			}
			checkStandardised(t, data.X)
			checkStandardised(t, data.T)
			x, y := data.X.Data().([]float64)[test.column], data.T.Data().([]float64)[0]
			if want := (test.input - test.inMean) / test.inDev; math.Abs(x-want) > 1e-6 {
				t.Errorf("first input %v, want %v", x, want)
			}
			if want := (test.target - test.tMean) / test.tDevia; math.Abs(y-want) > 1e-6 {
				t.Errorf("first target %v, want %v", y, want)
			}
		})
	}
}

func TestPublishedSlice(t *testing.T) {
	dataFolder(t)
	data := published(t, func() (batch.Data, error) {
		return Slice(t.Context(), tensor.Float64, WithoutDownload())
	})
	if !data.X.Shape().Eq(tensor.Shape{53500, 385}) {
		t.Errorf("shape %v", data.X.Shape())
	}
}
