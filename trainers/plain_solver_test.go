package trainers

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/internal/arraytest"
)

// plainGraph is a graph that Gorgonia trains. Its inputs have values of their
// own and are not listed.
type plainGraph struct {
	g      *gorgonia.ExprGraph
	dt     tensor.Dtype
	rng    *rand.Rand
	params gorgonia.Nodes
}

func (p *plainGraph) leaf(name string, shape ...int) *gorgonia.Node {
	v := normals(p.rng, tensor.Shape(shape).TotalSize())
	opts := []gorgonia.NodeConsOpt{gorgonia.WithShape(shape...), gorgonia.WithValue(tensorOf(p.dt, v, shape...))}
	if name != "" {
		opts = append(opts, gorgonia.WithName(name))
	}
	return gorgonia.NewTensor(p.g, p.dt, len(shape), opts...)
}

func (p *plainGraph) param(name string, shape ...int) *gorgonia.Node {
	n := p.leaf(name, shape...)
	p.params = append(p.params, n)
	return n
}

// number makes a scalar parameter.
func (p *plainGraph) number(name string, v float64) *gorgonia.Node {
	var value any = v
	if p.dt == tensor.Float32 {
		value = float32(v)
	}
	n := gorgonia.NewScalar(p.g, p.dt, gorgonia.WithName(name), gorgonia.WithValue(value))
	p.params = append(p.params, n)
	return n
}

func normals(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64() / 2
	}
	return v
}

func tensorOf(dt tensor.Dtype, v []float64, shape ...int) *tensor.Dense {
	if dt == tensor.Float64 {
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))
	}
	w := make([]float32, len(v))
	for i, x := range v {
		w[i] = float32(x)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(w))
}

// plainGraphs have what cannot be rebuilt, or not always: K = 0 needs no rebuilt
// pass.
func plainGraphs() map[string]func(p *plainGraph) *gorgonia.Node {
	must := gorgonia.Must
	product := func(p *plainGraph, rows, in, out int) *gorgonia.Node {
		return must(gorgonia.Mul(p.leaf("x", rows, in), p.param("w", in, out)))
	}
	return map[string]func(p *plainGraph) *gorgonia.Node{
		"mean square of a matrix": func(p *plainGraph) *gorgonia.Node {
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(product(p, 6, 4, 3), p.leaf("y", 6, 3)))))))
		},
		"softmax": func(p *plainGraph) *gorgonia.Node {
			probabilities := must(gorgonia.SoftMax(product(p, 6, 4, 3)))
			return must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.HadamardProd(must(gorgonia.Log(probabilities)), p.leaf("y", 6, 3)))))))
		},
		"dropout": func(p *plainGraph) *gorgonia.Node {
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Dropout(product(p, 6, 4, 3), 0.5))))))
		},
		"random numbers": func(p *plainGraph) *gorgonia.Node {
			noise := gorgonia.GaussianRandomNode(p.g, p.dt, 0, 1, 6, 3)
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Add(product(p, 6, 4, 3), noise))))))
		},
		"slices": func(p *plainGraph) *gorgonia.Node {
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Slice(product(p, 6, 4, 3), gorgonia.S(1, 4)))))))
		},
		"constants in first place": func(p *plainGraph) *gorgonia.Node {
			one := gorgonia.NewConstant(tensorOf(p.dt, []float64{1, 1, 1, 1, 1, 1}, 2, 3))
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(one, product(p, 2, 4, 3)))))))
		},
		"vectors and a tensor": func(p *plainGraph) *gorgonia.Node {
			images, filter := p.leaf("x", 2, 1, 5, 5), p.param("filter", 2, 1, 3, 3)
			c := must(gorgonia.Conv2d(images, filter, tensor.Shape{3, 3}, []int{0, 0}, []int{1, 1}, []int{1, 1}))
			rows := must(gorgonia.Reshape(c, tensor.Shape{2, 18}))
			v := must(gorgonia.Mul(rows, p.param("v", 18)))
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Add(v, p.param("b", 2)))))))
		},
		"group norm": func(p *plainGraph) *gorgonia.Node {
			x := must(gorgonia.Conv2d(p.leaf("x", 2, 1, 5, 5), p.param("filter", 4, 1, 3, 3), tensor.Shape{3, 3}, []int{0, 0}, []int{1, 1}, []int{1, 1}))
			y, err := gorgonia.GroupNorm(x, p.param("scale", 1, 4, 1, 1), p.param("shift", 1, 4, 1, 1), 2, 4, 1e-5)
			return must(gorgonia.Mean(must(gorgonia.Square(must(y, err)))))
		},
		"numbers": func(p *plainGraph) *gorgonia.Node {
			y := must(gorgonia.Add(must(gorgonia.Mul(p.leaf("x", 6), p.number("m", 0.7))), p.number("c", -0.2)))
			return must(gorgonia.Mean(must(gorgonia.Square(y))))
		},
		"the same twice": func(p *plainGraph) *gorgonia.Node {
			half := func() *gorgonia.Node { return gorgonia.NewConstant(tensorOf(p.dt, []float64{0.5, 0.5}, 2, 1)) }
			x, w := p.leaf("x", 2, 4), p.param("w", 4, 1)
			y := func() *gorgonia.Node {
				return must(gorgonia.HadamardProd(half(), must(gorgonia.Tanh(must(gorgonia.Mul(x, w))))))
			}
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Add(y(), y()))))))
		},
		"dropped twice": func(p *plainGraph) *gorgonia.Node {
			h := must(gorgonia.Dropout(product(p, 6, 4, 3), 0.5))
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Dropout(h, 0.5))))))
		},
		"no names": func(p *plainGraph) *gorgonia.Node {
			h := must(gorgonia.Tanh(must(gorgonia.Mul(p.leaf("x", 6, 4), p.param("", 4, 5)))))
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Mul(h, p.param("", 5, 3)))))))
		},
		"one name": func(p *plainGraph) *gorgonia.Node {
			h := must(gorgonia.Tanh(must(gorgonia.Mul(p.leaf("x", 6, 4), p.param("w", 4, 5)))))
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Mul(h, p.param("w", 5, 3)))))))
		},
		"transposed weights": func(p *plainGraph) *gorgonia.Node {
			w := must(gorgonia.Transpose(p.param("w", 3, 4), 1, 0))
			return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Mul(p.leaf("x", 6, 4), w))))))
		},
	}
}

// twin is a parameter that another solver moves with the same gradients.
type twin struct{ value, grad gorgonia.Value }

func (t twin) Value() gorgonia.Value         { return t.value }
func (t twin) Grad() (gorgonia.Value, error) { return t.grad, nil }

// twins copies the weights, and the gradients that the machine left.
func twins(t *testing.T, params gorgonia.Nodes) []gorgonia.ValueGrad {
	t.Helper()
	all := make([]gorgonia.ValueGrad, len(params))
	for i, n := range params {
		d, err := n.Grad()
		if err != nil {
			t.Fatal(err)
		}
		value, err := gorgonia.CloneValue(n.Value())
		if err != nil {
			t.Fatal(err)
		}
		grad, err := gorgonia.CloneValue(d)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = twin{value, grad}
	}
	return all
}

// TestK0TakesWhatGorgoniaTrains trains graphs with Wrap and K = 0, the cost and
// the parameters its whole problem: every step has the bits of Gorgonia's own
// solver.
func TestK0TakesWhatGorgoniaTrains(t *testing.T) {
	for name, build := range plainGraphs() {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			t.Run(fmt.Sprintf("%s/%v", name, dt), func(t *testing.T) {
				p := &plainGraph{g: gorgonia.NewGraph(), dt: dt, rng: rand.New(rand.NewPCG(3, 1))}
				cost := build(p)
				solver, err := Wrap(graph.Problem{Cost: cost, Params: p.params}, SGD(0.1), EveryK(0))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := gorgonia.Grad(cost, p.params...); err != nil {
					t.Fatal(err)
				}
				vm := gorgonia.NewTapeMachine(p.g, gorgonia.BindDualValues(p.params...))
				defer vm.Close()
				for step := range 4 {
					if err := vm.RunAll(); err != nil {
						t.Fatal(err)
					}
					theirs := twins(t, p.params)
					if err := solver.Step(gorgonia.NodesToValueGrads(p.params)); err != nil {
						t.Fatal(err)
					}
					for _, zeroed := range twins(t, p.params) {
						if d, _ := graph.Array(zeroed.(twin).grad); array.SumSquares(d) != 0 {
							t.Fatal("the gradient is not zeroed")
						}
					}
					vm.Reset()
					if err := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.1)).Step(theirs); err != nil {
						t.Fatal(err)
					}
					for i, n := range p.params {
						compareTwin(t, step, n, theirs[i].Value())
					}
				}
			})
		}
	}
}

// TestK0NeedsPassesForFisherMatricesAlone steps every rule on a graph that cannot
// be rebuilt, for it draws random numbers; KFAC, EKFAC and SINGD say what they miss.
func TestK0NeedsPassesForFisherMatricesAlone(t *testing.T) {
	for name, o := range everyOptimizer() {
		t.Run(name, func(t *testing.T) {
			if o.LearningRate() == 0 {
				t.Skip("the rate is found with P, which is not learned")
			}
			p := &plainGraph{g: gorgonia.NewGraph(), dt: tensor.Float64, rng: rand.New(rand.NewPCG(3, 1))}
			cost := plainGraphs()["random numbers"](p)
			solver, err := Wrap(graph.Problem{Cost: cost, Params: p.params}, o, EveryK(0))
			if name == "kfac" || name == "ekfac" || strings.HasPrefix(name, "singd") {
				wantError(t, name, err, "output")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := gorgonia.Grad(cost, p.params...); err != nil {
				t.Fatal(err)
			}
			vm := gorgonia.NewTapeMachine(p.g, gorgonia.BindDualValues(p.params...))
			defer vm.Close()
			before := p.params[0].Value().(*tensor.Dense).Clone().(*tensor.Dense)
			for range 2 {
				if err := vm.RunAll(); err != nil {
					t.Fatal(err)
				}
				if err := solver.Step(gorgonia.NodesToValueGrads(p.params)); err != nil {
					t.Fatal(err)
				}
				vm.Reset()
			}
			if before.Eq(p.params[0].Value()) {
				t.Error("the weights have not moved")
			}
		})
	}
}

// compareTwin compares bit for bit where products are rounded before they are
// added, as Gorgonia does.
func compareTwin(t *testing.T, step int, n *gorgonia.Node, value gorgonia.Value) {
	t.Helper()
	what := "weights " + n.Name()
	got, _ := graph.Array(n.Value())
	want, _ := graph.Array(value)
	if want.Dtype() == tensor.Float32 {
		compareElements(t, what, step, got.Float32s(), want.Float32s())
	} else {
		compareElements(t, what, step, got.Float64s(), want.Float64s())
	}
}

func compareElements[T apoops.Float](t *testing.T, what string, step int, got, want []T) {
	t.Helper()
	if arraytest.FusesMultiplyAdd[T]() {
		t.Skip("this processor rounds x·y+z once, Gorgonia's kernels twice")
	}
	identical(t, what, step, got, want)
}
