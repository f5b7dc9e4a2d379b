package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestReducesWrongly runs Gorgonia's Sum and Max over each set of axes of arrays of
// 2 to 6 axes and compares them with loops: they are wrong, or panic, where
// reducesWrongly says so and nowhere else.
func TestReducesWrongly(t *testing.T) {
	wrong := 0
	for _, shape := range []tensor.Shape{{3, 4}, {2, 3, 4}, {2, 3, 4, 5}, {2, 3, 2, 3}, {2, 1, 3, 2}, {2, 3, 1, 2}, {2, 3, 4, 3, 2}, {2, 1, 2, 3, 3, 2}} {
		x := tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float64))
		for i := range x.Float64s() {
			x.Float64s()[i] = math.Sin(float64(i * i))
		}
		node := gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName("x"))
		for _, axes := range axisSets(len(shape)) {
			for name, f := range map[string]func(n *gorgonia.Node, axes ...int) (*gorgonia.Node, error){"sum": gorgonia.Sum, "max": gorgonia.Max} {
				got, err := do(gorgonia.Must(f(node, slices.Clone(axes)...)).Op(), x)
				isWrong := err != nil || !alike(got, byLoops(name, x, axes))
				if isWrong != reducesWrongly(shape, axes) {
					t.Errorf("%s of %v along %v: wrong %v, said to be %v", name, shape, axes, isWrong, !isWrong)
				}
				if isWrong {
					wrong++
				}
			}
		}
	}
	if wrong == 0 {
		t.Error("Gorgonia reduces rightly: the replacements are not needed any more")
	}
}

func do(op gorgonia.Op, x *tensor.Dense) (v []float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	value, err := op.Do(x.Clone().(*tensor.Dense))
	if err != nil {
		return nil, err
	}
	if d, ok := value.Data().(float64); ok {
		return []float64{d}, nil
	}
	return value.Data().([]float64), nil
}

func byLoops(name string, x *tensor.Dense, axes []int) []float64 {
	shape, size := x.Shape(), 1
	for k, n := range shape {
		if !slices.Contains(axes, k) {
			size *= n
		}
	}
	out, seen := make([]float64, size), make([]bool, size)
	for i, v := range x.Float64s() {
		at, index := 0, i
		for k, stride := range shape.CalcStrides() {
			if !slices.Contains(axes, k) {
				at = at*shape[k] + index/stride
			}
			index %= stride
		}
		switch {
		case name == "sum":
			out[at] += v
		case !seen[at] || v > out[at]:
			out[at] = v
		}
		seen[at] = true
	}
	return out
}

func axisSets(n int) (all [][]int) {
	for set := 1; set < 1<<n; set++ {
		var axes []int
		for k := range n {
			if set>>k&1 == 1 {
				axes = append(axes, k)
			}
		}
		all = append(all, axes)
	}
	return all
}

func alike(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 1e-12 })
}
