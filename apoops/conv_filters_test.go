package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestFilterMatrix(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 1))
	for _, o := range []int{1, 3, 40} {
		const rows = 2 * 3 * 2
		reference := func(in [][]float64) []float64 {
			var w []float64
			for k := range rows {
				for j := range o {
					w = append(w, in[0][j*rows+k])
				}
			}
			return append(w, in[1:][0]...)
		}
		opTest{
			name:   "filter matrix with bias",
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return FilterMatrix(in[0], in[1]) },
			inputs: []*tensor.Dense{randn(rng, o, 2, 3, 2), randn(rng, 1, o, 1, 1)},
			wrt:    []int{0, 1},
			want:   reference,
		}.run(t)
		opTest{
			name:   "filter matrix",
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return FilterMatrix(in[0], nil) },
			inputs: []*tensor.Dense{randn(rng, o, 2, 3, 2)},
			wrt:    []int{0},
			want:   func(in [][]float64) []float64 { return reference([][]float64{in[0], nil}) },
		}.run(t)
	}
}

func TestAffine(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 2))
	for _, a := range []Activation{Identity, SigmoidAct, RectifyAct} {
		for _, bias := range [][]int{{5}, {1, 5}} {
			const rows, n, m = 4, 3, 5
			opTest{
				name: "affine " + a.String(),
				build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
					return Affine(gorgonia.Must(Reshape(in[0], rows, n)), in[1], in[2], a)
				},
				inputs: []*tensor.Dense{randn(rng, rows, n), randn(rng, n, m), randn(rng, bias...)},
				wrt:    []int{0, 1, 2},
				want: func(in [][]float64) (y []float64) {
					for i := range rows {
						for j := range m {
							z := in[2][j]
							for k := range n {
								z += in[0][i*n+k] * in[1][k*m+j]
							}
							y = append(y, act(a, z))
						}
					}
					return y
				},
			}.run(t)
		}
	}
	opTest{
		name:   "times",
		build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Times(in[0], -2.5) },
		inputs: []*tensor.Dense{randn(rng, 3, 2)},
		wrt:    []int{0},
		want: func(in [][]float64) (y []float64) {
			for _, x := range in[0] {
				y = append(y, -2.5*x)
			}
			return y
		},
	}.run(t)
}

// TestWrongFiltersAndBiases are errors that name the shapes.
func TestWrongFiltersAndBiases(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(name string, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	}
	for what, build := range map[string]func() (*gorgonia.Node, error){
		"filters of three axes": func() (*gorgonia.Node, error) { return FilterMatrix(node("a", 2, 3, 4), nil) },
		"bias of another size":  func() (*gorgonia.Node, error) { return FilterMatrix(node("a4", 2, 3, 4, 1), node("b", 3)) },
		"no filters":            func() (*gorgonia.Node, error) { return FilterMatrix(nil, nil) },
		"affine without a bias": func() (*gorgonia.Node, error) { return Affine(node("x", 2, 3), node("w", 3, 4), nil, Identity) },
		"affine with another": func() (*gorgonia.Node, error) {
			return Affine(node("x", 2, 3), node("w", 3, 4), node("c", 3), Identity)
		},
		"affine, unknown":         func() (*gorgonia.Node, error) { return Affine(node("x", 2, 3), node("w", 3, 4), node("d", 4), 99) },
		"soft targets, no matrix": func() (*gorgonia.Node, error) { return SoftCrossEntropy(node("e", 2), node("f", 2)) },
	} {
		if n, err := build(); err == nil {
			t.Errorf("%s: accepted, %v", what, n)
		}
	}
}

// TestConvBiasGradient compares the gradient by a bias from the factors alone with that
// cut out of the gradient by the matrix.
func TestConvBiasGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 9))
	for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		for _, act := range []Activation{Identity, TanhAct} {
			g := gorgonia.NewGraph()
			in := func(name string, shape ...int) *gorgonia.Node { return inputNode(g, randn(rng, shape...), dt, name) }
			filters, bias := in("filters", 5, 2, 3, 3), in("bias", 1, 5, 1, 1)
			c := evenConv(3, 1, 1, 1)
			c.Activation = act
			y := gorgonia.Must(Conv2D(in("x", 3, 2, 4, 4), gorgonia.Must(FilterMatrix(filters, bias)), c))
			cost := gorgonia.Must(InnerProduct(y, in("q", 3, 5, 4, 4), 1))
			grads, err := gorgonia.Grad(cost, filters, bias)
			if err != nil {
				t.Fatal(err)
			}
			f, ok := ConvBiasGradientOf(grads[1])
			if !ok {
				t.Fatal("no factors")
			}
			if _, ok := ConvBiasGradientOf(grads[0]); ok {
				t.Error("the gradient by the filters is taken for that by the bias")
			}
			alone, err := ConvBiasGradient(f, 1, 5, 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			var got gorgonia.Value
			gorgonia.Read(alone, &got)
			vm := gorgonia.NewTapeMachine(g)
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			compare(t, act.String(), floats(got), floats(grads[1].Value()), map[tensor.Dtype]float64{tensor.Float64: 1e-13, tensor.Float32: 1e-5}[dt])
			vm.Close()
		}
	}
}
