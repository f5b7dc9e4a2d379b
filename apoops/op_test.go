package apoops

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestOperandsThatDoNotFit binds values that Gorgonia lets pass: of another
// shape, column-major, of another dtype. None may be computed with.
func TestOperandsThatDoNotFit(t *testing.T) {
	backing := func() []float64 { return []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} }
	for what, c := range map[string]struct {
		value *tensor.Dense
		want  string
	}{
		"more rows":    {tensor.New(tensor.WithShape(4, 3), tensor.WithBacking(backing())), "(4, 3)"},
		"transposed":   {tensor.New(tensor.WithShape(3, 2), tensor.WithBacking(backing()[:6])), "(3, 2)"},
		"column-major": {tensor.New(tensor.WithShape(2, 3), tensor.AsFortran(backing()[:6])), "column-major"},
		"float32":      {tensor.New(tensor.WithShape(2, 3), tensor.Of(tensor.Float32)), "float32"},
	} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 3))
		y, err := ReLU(x)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := y.Op().Do(c.value); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not name %q", what, err, c.want)
		}
	}
}

// TestViewsAreReadInOrder feeds a transposed view.
func TestViewsAreReadInOrder(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(3, 2))
	y, err := ReLU(x)
	if err != nil {
		t.Fatal(err)
	}
	view := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, 2, 3, 4, 5, 6}))
	if err := view.T(); err != nil {
		t.Fatal(err)
	}
	v, err := y.Op().Do(view)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "transposed view", floats(v), []float64{1, 4, 2, 5, 3, 6}, 0)
}
