package graph

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// forked is a model of the tests whose hidden layer is read three times.
type forked struct{}

func (forked) Init(seed uint64, _ tensor.Dtype) ([]*Param, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	return []*Param{{Name: "w", Value: random(rng, 1, 4, 3), Matrix: true}, {Name: "v", Value: random(rng, 1, 4, 3), Matrix: true}}, nil
}

func (forked) Output(_ *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	h, err := apoops.Dense(x[0], theta[0], apoops.TanhAct)
	if err != nil {
		return nil, err
	}
	z, err := apoops.Dense(h, theta[1], apoops.SigmoidAct)
	if err != nil {
		return nil, err
	}
	squared, err := gorgonia.HadamardProd(h, h)
	if err != nil {
		return nil, err
	}
	sum, err := apoops.AddActivate(z, squared, apoops.Identity)
	if err != nil {
		return nil, err
	}
	return apoops.AddActivate(h, sum, apoops.Identity)
}

// TestGradientsAreGorgonias compares all bits of gradients with those of
// gorgonia.Grad on graphs whose nodes are read once, twice and more often, of this
// package's ops and of Gorgonia's.
func TestGradientsAreGorgonias(t *testing.T) {
	rng := rand.New(rand.NewPCG(71, 1))
	dense := problems(rng, 3, 3)[0]
	float32s, float64s := images(rng, tensor.Float32, 3), images(rng, tensor.Float64, 3)
	stock, stockBatch := stockProblem(t, rng)
	user := stockConvs["strided"].build(t, rng, tensor.Float64)
	objective := func(m Model, l Loss, dt tensor.Dtype) (Source, []*Param) {
		params, err := m.Init(3, dt)
		must(t, err)
		return Objective{Model: m, Loss: l}, params
	}
	for name, build := range map[string]func() (Source, []*Param, Batch){
		"dense": func() (Source, []*Param, Batch) {
			src, params := objective(mlp{widths: []int{3, 5, 3}, act: apoops.TanhAct}, dense.loss, tensor.Float64)
			return src, params, dense.batch
		},
		"forked": func() (Source, []*Param, Batch) {
			src, params := objective(forked{}, dense.loss, tensor.Float64)
			return src, params, dense.batch
		},
		"residual": func() (Source, []*Param, Batch) {
			src, params := objective(residual{3}, float64s.loss, tensor.Float64)
			return src, params, float64s.batch
		},
		"residual in float32": func() (Source, []*Param, Batch) {
			src, params := objective(residual{3}, float32s.loss, tensor.Float32)
			return src, params, float32s.batch
		},
		"stock": func() (Source, []*Param, Batch) {
			params, err := stock.LearnableParams()
			must(t, err)
			return stock, params, stockBatch
		},
		"stock convolutions": func() (Source, []*Param, Batch) {
			params, err := user.LearnableParams()
			must(t, err)
			return user.Problem, params, user.batch
		},
	} {
		t.Run(name, func(t *testing.T) {
			src, params, batch := build()
			gradients := func(differentiate func(cost *gorgonia.Node, wrt gorgonia.Nodes) (gorgonia.Nodes, error)) (all [][]float64) {
				p := newProgram(params[0].Value.Dtype())
				x, y := p.inputsLike(batch.X, "x"), p.inputsLike(batch.T, "t")
				theta, err := p.weights(params, "theta")
				must(t, err)
				loss, err := src.BuildLoss(&Pass{Role: BaseRole}, x, y, theta)
				must(t, err)
				grads, err := differentiate(loss, learnedOf(params, theta))
				must(t, err)
				must(t, letAll("input", x, batch.X), letAll("target", y, batch.T), p.compile(grads...), p.Run())
				for _, g := range grads {
					all = append(all, numbers(g.Value()))
				}
				return all
			}
			want := gradients(func(cost *gorgonia.Node, wrt gorgonia.Nodes) (gorgonia.Nodes, error) {
				return gorgonia.Grad(cost, wrt...)
			})
			got := gradients(differentiate)
			for i := range want {
				equalBits(t, fmt.Sprintf("gradient %d", i), got[i], want[i])
			}
		})
	}
}

// TestForksAreAddedInPlace looks for Gorgonia's sums, which allocate, in the graphs
// of a residual net. The vectors of batch norm have some, where a diagonal
// preconditioner takes them for a matrix of one row.
func TestForksAreAddedInPlace(t *testing.T) {
	added := 0
	for _, r := range roles(t) {
		if !strings.HasPrefix(r.name, "residual/") {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			for _, n := range r.build(t).program.g.AllNodes() {
				if n.Op() == nil {
					continue
				}
				if n.Shape().TotalSize() > residualChannels && typeName(n.Op()) == "elemBinOp" {
					t.Errorf("%s", describe(n))
				}
				if strings.HasPrefix(n.Op().String(), "apoops.add(") {
					added++
				}
			}
		})
	}
	if added == 0 {
		t.Error("no sums at all")
	}
}

// withoutGradient is an op that is no SDOp.
type withoutGradient struct{ gorgonia.Op }

// TestDifferentiateRefuses has it name what cannot be differentiated.
func TestDifferentiateRefuses(t *testing.T) {
	for want, build := range map[string]func(g *gorgonia.ExprGraph, x, y *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes){
		`"y" has no influence`: func(_ *gorgonia.ExprGraph, x, y *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes) {
			return gorgonia.Must(gorgonia.Sum(x)), gorgonia.Nodes{x, y}
		},
		"not a scalar": func(_ *gorgonia.ExprGraph, x, _ *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes) {
			return gorgonia.Must(gorgonia.Exp(x)), gorgonia.Nodes{x}
		},
		"is computed": func(_ *gorgonia.ExprGraph, x, _ *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes) {
			h := gorgonia.Must(gorgonia.Exp(x))
			return gorgonia.Must(gorgonia.Sum(h)), gorgonia.Nodes{h}
		},
		`"x" through ops without a gradient alone`: func(_ *gorgonia.ExprGraph, x, y *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes) {
			f := gorgonia.Must(apoops.Finite(x))
			return gorgonia.Must(gorgonia.Add(f, gorgonia.Must(gorgonia.Sum(y)))), gorgonia.Nodes{x, y}
		},
		"exp (node 3, shape (3)) has no gradient": func(_ *gorgonia.ExprGraph, x, _ *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes) {
			h := gorgonia.Must(gorgonia.Exp(x))
			return gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.ApplyOp(withoutGradient{h.Op()}, h)))), gorgonia.Nodes{x}
		},
		"differentiated before": func(_ *gorgonia.ExprGraph, x, _ *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes) {
			cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Exp(x))))
			if _, err := differentiate(cost, gorgonia.Nodes{x}); err != nil {
				t.Fatal(err)
			}
			return cost, gorgonia.Nodes{x}
		},
	} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(3), gorgonia.WithName("x"))
		y := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(3), gorgonia.WithName("y"))
		cost, wrt := build(g, x, y)
		if _, err := differentiate(cost, wrt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
