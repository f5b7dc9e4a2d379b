package graph_test

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// TestPatternsInLowStorage rebuilds each pattern of the table, those with ops of users
// among them, with arrays of 16 bits and with the same numbers in arrays of float32: loss,
// gradients and the gradient of Q have the same bits. They are near those of float32.
func TestPatternsInLowStorage(t *testing.T) {
	t.Parallel()
	differ, run := 0, 0
	for _, p := range slices.Concat(tables...) {
		if p.double {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			single := newUser(p, tensor.Float32).everything(t, graph.Storage{})
			for _, f := range []apoops.Format{apoops.Float16, apoops.BFloat16} {
				packed := newUser(p, tensor.Float32).everything(t, graph.Storage{Format: f, Low: true})
				emulated := newUser(p, tensor.Float32).everything(t, graph.Storage{Format: f, Low: true, Emulated: true})
				far := 0.0
				for i, v := range packed {
					if v != emulated[i] && (v == v || emulated[i] == emulated[i]) {
						t.Fatalf("%v: result %d is %v, with arrays of float32 %v", f, i, v, emulated[i])
					}
					far = max(far, math.Abs(v-single[i])/(math.Abs(single[i])+1))
				}
				if far > 0.2 {
					t.Logf("%v: relative difference %.2g from float32", f, far)
				}
				run++
				if far > 0 {
					differ++
				}
			}
		})
	}
	if 10*differ < 9*run {
		t.Errorf("of %d graphs in 16 bits %d differ from float32", run, differ)
	}
}

// everything is loss and gradient of the base pass and ∂Q/∂φ of a lookahead with one rate.
func (u *user) everything(t *testing.T, s graph.Storage) []float64 {
	t.Helper()
	u.problem.Storage = s
	loss, grads := u.rebuilt(t)
	all := append([]float64{loss}, grads...)
	params := u.params(t)
	p, err := graph.NewProximal(graph.ProximalConfig{
		Source: &u.problem, Params: params, Lookahead: graph.RateLookahead{Group: make([]int, len(params))},
		Batch: u.batch, Tilde: u.batch.X,
	})
	must0(t, err)
	phi := []*tensor.Dense{tensor.New(tensor.WithShape(1), tensor.WithBacking([]float32{-2}))}
	var directions []*tensor.Dense
	for _, q := range params {
		d := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(q.Value.Shape()...))
		for i := range d.Float32s() {
			d.Float32s()[i] = 0.3 * float32(math.Sin(float64(i+1)))
		}
		directions = append(directions, d)
	}
	must0(t, p.Feed(u.batch, u.batch.X), p.FeedWeights(0.7, 0.3), p.FeedStep(phi, directions, 1), p.Run(), p.Gradient(phi))
	terms := p.Terms()
	return append(all, terms.Loss, terms.FSD, terms.WSD, float64(phi[0].Float32s()[0]))
}

// TestOpsOfUsersAreRounded: what reads the result of an op of a user reads it rounded, and
// so it is with the gradient that its op makes.
func TestOpsOfUsersAreRounded(t *testing.T) {
	for _, f := range []apoops.Format{apoops.Float16, apoops.BFloat16} {
		u := newUser(pattern{name: "cube", build: func(u *user) (out, cost *gorgonia.Node) {
			out = cubeOf(must(apoops.Product(u.x(5), u.w(5))))
			return out, must(gorgonia.Sum(must(apoops.Times(out, 1)), 0))
		}}, tensor.Float32)
		u.problem.Storage = graph.Storage{Format: f, Low: true}
		loss, grads := u.rebuilt(t)
		round := func(x float64) float64 { return apoops.Round16(f, float64(float32(x))) }
		var want float64
		for i, w := range u.problem.Params[0].Value().(*tensor.Dense).Float32s() {
			x := round(float64(u.batch.X[0].Float32s()[i]))
			h := round(x * round(float64(w)))
			want += round(h * h * h)
			if d := round(x * round(3*h*h)); grads[i] != d {
				t.Errorf("%v: gradient %d is %v, not %v", f, i, grads[i], d)
			}
		}
		if math.Abs(loss-want) > 1e-6 {
			t.Errorf("%v: loss %v, not %v", f, loss, want)
		}
	}
}
