package extend

import (
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// points are places where Swish is steep, flat and saturated.
var points = []float64{-800, -20, -1.278, -0.5, 0, 1e-3, 0.5, 2, 30, 800}

// TestSwish compares values with the formula and gradients with central differences.
func TestSwish(t *testing.T) {
	for _, dt := range dtypes {
		g := gorgonia.NewGraph()
		value := toDtype(tensor.New(tensor.WithShape(2, len(points)/2), tensor.WithBacking(append([]float64{}, points...))), dt)
		x := gorgonia.NewMatrix(g, dt, gorgonia.WithName("x"), gorgonia.WithShape(value.Shape()...), gorgonia.WithValue(value))
		y, err := Swish(x)
		if err != nil {
			t.Fatal(err)
		}
		cost, err := apoops.HalfSquaredNorm(y)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gorgonia.Grad(cost, x); err != nil {
			t.Fatal(err)
		}
		vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(x))
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		dx, err := x.Grad()
		if err != nil {
			t.Fatal(err)
		}
		tolerance := map[tensor.Dtype]float64{tensor.Float32: 1e-5, tensor.Float64: 1e-7}[dt]
		exact := func(x float64) float64 { return x / (1 + math.Exp(-x)) }
		for i, p := range points {
			if got, want := numbers(y.Value().(*tensor.Dense))[i], exact(p); math.Abs(got-want) > tolerance*math.Max(1, math.Abs(want)) {
				t.Errorf("%v: swish(%v) is %v, want %v", dt, p, got, want)
			}
			const h = 1e-5
			want := (exact(p+h)*exact(p+h) - exact(p-h)*exact(p-h)) / (4 * h)
			if got := numbers(dx.(*tensor.Dense))[i]; math.Abs(got-want) > tolerance*math.Max(1, math.Abs(want)) {
				t.Errorf("%v: the gradient of ½swish² at %v is %v, by differences %v", dt, p, got, want)
			}
		}
	}
}

func TestSwishRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	for what, x := range map[string]*gorgonia.Node{
		"array":           gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("scalar")),
		"needs an array":  nil,
		"neither float32": gorgonia.NewVector(g, tensor.Int, gorgonia.WithName("ints"), gorgonia.WithShape(3)),
	} {
		if _, err := Swish(x); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%q: %v", what, err)
		}
	}
}
