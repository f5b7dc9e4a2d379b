package apoops

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// act is the reference of every activation.
func act(a Activation, z float64) float64 {
	switch a {
	case ReLUAct, RectifyAct:
		return max(z, 0)
	case SigmoidAct:
		return 1 / (1 + math.Exp(-z))
	case TanhAct:
		return math.Tanh(z)
	}
	return z
}

func TestDense(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, a := range []Activation{Identity, ReLUAct, SigmoidAct, TanhAct, RectifyAct} {
		for _, s := range [][3]int{{4, 3, 5}, {1, 1, 1}, {65, 7, 130}} {
			rows, n, m := s[0], s[1], s[2]
			if rows > 10 && a == ReLUAct {
				continue // kinks near zero spoil the central differences of so many units
			}
			reference := func(in [][]float64) []float64 {
				y := make([]float64, rows*m)
				for i := range rows {
					for j := range m {
						z := in[1][n*m+j]
						for k := range n {
							z += in[0][i*n+k] * in[1][k*m+j]
						}
						y[i*m+j] = act(a, z)
					}
				}
				return y
			}
			wrt := []int{1}
			if rows < 10 {
				opTest{
					name: "inner dense " + a.String(),
					build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
						x, err := Reshape(in[0], in[0].Shape()...)
						if err != nil {
							return nil, err
						}
						return Dense(x, in[1], a)
					},
					inputs: []*tensor.Dense{randn(rng, rows, n), randn(rng, n+1, m)},
					wrt:    []int{0, 1},
					want:   reference,
				}.run(t)
			} else {
				wrt = nil
			}
			opTest{
				name:   "dense " + a.String(),
				build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Dense(in[0], in[1], a) },
				inputs: []*tensor.Dense{randn(rng, rows, n), randn(rng, n+1, m)},
				wrt:    wrt,
				want:   reference,
			}.run(t)
		}
	}
}

func TestLinear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, a := range []Activation{Identity, TanhAct} {
		opTest{
			name: "linear " + a.String(),
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				x, err := Reshape(in[0], 4, 3)
				if err != nil {
					return nil, err
				}
				return Linear(x, in[1], a)
			},
			inputs: []*tensor.Dense{randn(rng, 4, 3), randn(rng, 3, 5)},
			wrt:    []int{0, 1},
			want: func(in [][]float64) []float64 {
				y := make([]float64, 20)
				for i := range 4 {
					for j := range 5 {
						var z float64
						for k := range 3 {
							z += in[0][i*3+k] * in[1][k*5+j]
						}
						y[i*5+j] = act(a, z)
					}
				}
				return y
			},
		}.run(t)
	}
}

func TestDenseRefusesWrongShapes(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(4, 3), gorgonia.WithName("x"))
	for _, s := range [][]int{{3, 5}, {5, 5}} {
		w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(s...), gorgonia.WithName("w"))
		if _, err := Dense(x, w, Identity); err == nil {
			t.Fatalf("W of shape %v was accepted for x of shape (4, 3)", s)
		}
	}
	w32 := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(4, 5), gorgonia.WithName("w32"))
	v := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(4), gorgonia.WithName("v"))
	for _, w := range []*gorgonia.Node{nil, w32, v} {
		if _, err := Dense(x, w, Identity); err == nil {
			t.Fatalf("W = %v was accepted", w)
		}
	}
	if _, err := Dense(x, gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(4, 5), gorgonia.WithName("ok")), Activation(9)); err == nil {
		t.Fatal("an unknown activation was accepted")
	}
}
