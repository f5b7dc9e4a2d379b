package apoops

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

func TestSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(62, 1))
	shape := tensor.Shape{4, 5, 3}
	for _, c := range []cut{
		{axis: 0, first: 1, step: 1, count: 3},
		{axis: 0, first: 2, step: 1, count: 1, to: tensor.Shape{5, 3}},
		{axis: 1, first: 1, step: 2, count: 2},
		{axis: 2, first: 0, step: 2, count: 2},
		{axis: 2, first: 2, step: 1, count: 1},
	} {
		opTest{
			name: "slice" + c.String(),
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return Slice(in[0], c.axis, c.first, c.step, c.count, c.to...)
			},
			inputs: []*tensor.Dense{randn(rng, shape...)},
			wrt:    []int{0},
			want: func(in [][]float64) (want []float64) {
				for i, v := range in[0] {
					index := []int{i / 15, i / 3 % 5, i % 3}[c.axis] - c.first
					if index >= 0 && index%c.step == 0 && index/c.step < c.count {
						want = append(want, v)
					}
				}
				return want
			},
		}.run(t)
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 3))
	for _, c := range []cut{
		{axis: 2, step: 1, count: 1}, {axis: -1, step: 1, count: 1}, {step: 1, count: 3}, {first: -1, step: 1, count: 1},
		{step: 0, count: 1}, {step: 1, count: 0}, {step: 1, count: 1, to: tensor.Shape{4}},
	} {
		if _, err := Slice(x, c.axis, c.first, c.step, c.count, c.to...); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func TestSoftmaxAlong(t *testing.T) {
	rng := rand.New(rand.NewPCG(63, 1))
	for _, shape := range []tensor.Shape{{4}, {3, 4}, {2, 3, 4}, {2, 3, 2, 4}} {
		for axis := range shape {
			_, along, after := around(shape, axis)
			byRow := func(f func(buf *vmath.Block, y, x []float64)) func([][]float64) []float64 {
				return func(in [][]float64) []float64 {
					y, x, row := make([]float64, len(in[0])), make([]float64, along), make([]float64, along)
					for i := range in[0] {
						if i/after%along != 0 {
							continue
						}
						for j := range x {
							x[j] = in[0][i+j*after]
						}
						f(new(vmath.Block), row, x)
						for j, v := range row {
							y[i+j*after] = v
						}
					}
					return y
				}
			}
			for name, c := range map[string]opTest{
				"softmax": {
					build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return SoftmaxAlong(in[0], axis) },
					want:  byRow(func(buf *vmath.Block, y, x []float64) { softmaxRow(buf, y, x, 1) }),
				},
				"logSoftmax": {
					build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return LogSoftmaxAlong(in[0], axis) },
					want:  byRow(logSoftmaxRow[float64]),
				},
			} {
				c.name, c.inputs, c.wrt = fmt.Sprintf("%s of %v along %d", name, shape, axis), []*tensor.Dense{randn(rng, shape...)}, []int{0}
				c.run(t)
			}
		}
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 3))
	for _, axis := range []int{-1, 2} {
		if _, err := SoftmaxAlong(x, axis); err == nil {
			t.Errorf("axis %d was accepted", axis)
		}
	}
}

func TestElementwise(t *testing.T) {
	rng := rand.New(rand.NewPCG(64, 1))
	for _, shape := range [][]int{{}, {3, 4}} {
		x := randn(rng, shape...)
		if x.IsScalar() {
			x = tensor.New(tensor.FromScalar(1.7))
		} else {
			for i, v := range x.Float64s() {
				x.Float64s()[i] = 0.3 + v*v
			}
		}
		for _, c := range []struct {
			f     *function
			build func(*gorgonia.Node) (*gorgonia.Node, error)
		}{{log2, Log2}, {inverseSqrt, InverseSqrt}} {
			opTest{
				name:   c.f.name,
				build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return c.build(in[0]) },
				inputs: []*tensor.Dense{x},
				wrt:    []int{0},
				want: func(in [][]float64) (want []float64) {
					for _, v := range in[0] {
						want = append(want, c.f.value(v))
					}
					return want
				},
			}.run(t)
		}
	}
}
