package datasets

import (
	"math"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

func TestStandardise(t *testing.T) {
	// The second column is a constant that no double holds exactly.
	values := []float64{
		1, 0.1, 10,
		2, 0.1, 10,
		3, 0.1, 40,
	}
	if err := standardise(values, 3); err != nil {
		t.Fatal(err)
	}
	a, b := math.Sqrt(1.5), math.Sqrt(0.5)
	want := []float64{
		-a, 0, -b,
		0, 0, -b,
		a, 0, 2 * b,
	}
	for i := range want {
		if math.Abs(values[i]-want[i]) > 1e-15 {
			t.Errorf("element %d is %v, want %v", i, values[i], want[i])
		}
	}
}

func TestStandardiseRefusesOverflow(t *testing.T) {
	errortest.Want(t, standardise([]float64{0, 1e300, 0, -1e300}, 2), "column 2 cannot be standardised")
	errortest.Want(t, standardise([]float64{math.MaxFloat64, math.MaxFloat64, 1}, 1), "column 1 cannot be standardised")
}

func TestSplitColumn(t *testing.T) {
	table := Table{Names: []string{"a", "b", "c"}, Rows: 2, Cols: 3, Values: []float64{1, 2, 3, 4, 5, 6}}
	rest, column := splitColumn(table, 1)
	if !slices.Equal(rest, []float64{1, 3, 4, 6}) || !slices.Equal(column, []float64{2, 5}) {
		t.Errorf("got %v and %v", rest, column)
	}
	less, err := without(table, "a")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(less.Names, []string{"b", "c"}) || less.Cols != 2 || !slices.Equal(less.Values, []float64{2, 3, 5, 6}) {
		t.Errorf("got %+v", less)
	}
	if !slices.Equal(table.Names, []string{"a", "b", "c"}) {
		t.Error("the table itself changed")
	}
	_, err = without(table, "z")
	errortest.Want(t, err, `no column "z"`)
}
