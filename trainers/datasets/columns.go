package datasets

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// splitColumn takes one column out of a table: rest holds the other columns
// row by row, in their order.
func splitColumn(t Table, column int) (rest, values []float64) {
	rest = make([]float64, 0, t.Rows*(t.Cols-1))
	values = make([]float64, 0, t.Rows)
	for i := range t.Rows {
		row := t.Values[i*t.Cols : (i+1)*t.Cols]
		rest = append(rest, row[:column]...)
		values = append(values, row[column])
		rest = append(rest, row[column+1:]...)
	}
	return rest, values
}

// without returns the table less the named column.
func without(t Table, name string) (Table, error) {
	column := slices.Index(t.Names, name)
	if column < 0 {
		return Table{}, errors.Errorf("no column %q", name)
	}
	rest, _ := splitColumn(t, column)
	names := slices.Delete(slices.Clone(t.Names), column, column+1)
	return Table{Names: names, Rows: t.Rows, Cols: t.Cols - 1, Values: rest}, nil
}

// standardise shifts and scales each column of a row-by-row matrix to mean 0
// and variance 1, the variance being the mean square over all rows. A column
// of one value becomes 0.
func standardise(values []float64, cols int) error {
	rows := len(values) / cols
	for c := range cols {
		first, constant, sum := values[c], true, 0.0
		for i := c; i < len(values); i += cols {
			sum += values[i]
			constant = constant && values[i] == first
		}
		mean, squares := sum/float64(rows), 0.0
		for i := c; i < len(values); i += cols {
			d := values[i] - mean
			squares += d * d
		}
		deviation := math.Sqrt(squares / float64(rows))
		switch {
		case constant:
			mean, deviation = first, 1
		case math.IsNaN(deviation) || math.IsInf(deviation, 0) || deviation == 0:
			return errors.Errorf("column %d cannot be standardised: mean %g, deviation %g", c+1, mean, deviation)
		}
		for i := c; i < len(values); i += cols {
			values[i] = (values[i] - mean) / deviation
		}
	}
	return nil
}
