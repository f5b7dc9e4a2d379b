package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TestRelativeGradients compares the gradients by relative changes Y with
// central differences of the plain preconditioner's Q for the factors A(I+Y_A)
// and B(I+Y_B), and the gradients by S with central differences of its own.
func TestRelativeGradients(t *testing.T) {
	const lambdaF, lambdaW, epsilon = 0.7, 0.3, 0.4
	model := mlp{widths: []int{3, 4, 3}, act: apoops.TanhAct, dropout: 0.3}
	params, err := model.Init(7, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	diagonal := BlockPerParam(params)
	diagonal[1].Form = Diagonal
	for name, blocks := range map[string][]Block{"kronecker": BlockPerParam(params), "diagonal": diagonal} {
		rng := rand.New(rand.NewPCG(12, 1))
		for _, pr := range problems(rng, 3, 3) {
			t.Run(fmt.Sprintf("%s/%s/%s", name, pr.loss.Name, pr.loss.Divergence.Name), func(t *testing.T) {
				build := func(l Lookahead) *Proximal {
					p, err := NewProximal(ProximalConfig{
						Source: Objective{Model: model, Loss: pr.loss}, Params: params, Lookahead: l,
						Batch: pr.batch, Tilde: pr.tilde, Random: apoops.NewRandom(5),
					})
					if err != nil {
						t.Fatal(err)
					}
					return p
				}
				run := func(p *Proximal, phi, inputs []*tensor.Dense, lambdaW, scale float64) Terms {
					t.Helper()
					for _, err := range []error{p.Feed(pr.batch, pr.tilde), p.FeedWeights(lambdaF, lambdaW), p.FeedStep(phi, inputs, scale), p.Run()} {
						if err != nil {
							t.Fatal(err)
						}
					}
					return p.Terms()
				}
				plain := build(PrecondLookahead{blocks})
				look := RelativeLookahead{blocks}
				relative := build(look)

				factors, g := arraysFor(rng, PrecondLookahead{blocks}, params)
				// The plain lookahead sees ε·G, so its ‖PG‖² has a factor ε².
				short := make([]*tensor.Dense, len(g))
				for i, a := range g {
					short[i] = a.Clone().(*tensor.Dense)
					for j := range short[i].Float64s() {
						short[i].Float64s()[j] *= epsilon
					}
				}
				var phi, inputs []*tensor.Dense
				at := factors
				var y [][2]*tensor.Dense // a factor and the relative change of it; nil for S
				for i, b := range blocks {
					if b.Form == Kronecker {
						ya, yb := zeros(b.Cols, b.Cols), zeros(b.Rows, b.Rows)
						y = append(y, [2]*tensor.Dense{at[0], ya}, [2]*tensor.Dense{at[1], yb})
						phi = append(phi, ya, yb)
						inputs = append(inputs, at[0], at[1], at[2])
						at = at[3:]
					} else {
						y = append(y, [2]*tensor.Dense{at[0], nil})
						phi = append(phi, at[0])
						at = at[1:]
					}
					inputs = append(inputs, g[i])
				}
				got := run(relative, phi, inputs, lambdaW, epsilon)
				want := run(plain, factors, short, lambdaW/(epsilon*epsilon), 1)
				if math.Abs(got.Q-want.Q) > 1e-12*math.Abs(want.Q) {
					t.Fatalf("Q = %v, the plain form gives %v", got.Q, want.Q)
				}
				grad := make([]*tensor.Dense, len(phi))
				for i := range phi {
					grad[i] = phi[i].Clone().(*tensor.Dense)
				}
				if err := relative.Gradient(grad); err != nil {
					t.Fatal(err)
				}
				moving := make([]*tensor.Dense, len(phi))
				for i, f := range y {
					grad[i] = grad[i].Clone().(*tensor.Dense)
					moving[i] = phi[i]
					if f[1] == nil {
						moving[i] = f[0]
					}
				}
				checkGradient(t, moving, grad, func() float64 {
					changed := append([]*tensor.Dense(nil), factors...)
					for _, f := range y {
						if f[1] == nil {
							continue
						}
						for i := range factors {
							if factors[i] == f[0] {
								changed[i] = timesIdentityPlus(f[0], f[1])
							}
						}
					}
					return run(plain, changed, short, lambdaW/(epsilon*epsilon), 1).Q
				})
			})
		}
	}
}

func zeros(rows, cols int) *tensor.Dense {
	return tensor.New(tensor.WithShape(rows, cols), tensor.Of(tensor.Float64))
}

// timesIdentityPlus is f(I+y).
func timesIdentityPlus(f, y *tensor.Dense) *tensor.Dense {
	n := f.Shape()[0]
	out := f.Clone().(*tensor.Dense)
	for i := range n {
		for j := range n {
			for k := range n {
				out.Float64s()[i*n+j] += f.Float64s()[i*n+k] * y.Float64s()[k*n+j]
			}
		}
	}
	return out
}

// TestRelativeRefusesFull checks the error for a block that has no relative
// steps.
func TestRelativeRefusesFull(t *testing.T) {
	model := mlp{widths: []int{3, 3}}
	params, err := model.Init(7, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	pr := problems(rand.New(rand.NewPCG(1, 1)), 3, 3)[0]
	_, err = NewProximal(ProximalConfig{
		Source: Objective{Model: model, Loss: pr.loss}, Params: params, Lookahead: RelativeLookahead{OneBlock(params)},
		Batch: pr.batch, Tilde: pr.tilde,
	})
	if err == nil {
		t.Fatal("a full P was accepted")
	}
}
