package rule

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"
)

// twinHDMHB is the method of Chu et al. on all weights, with the gradient and the loss of
// the candidate θ⁺ that it has made before: in w the next candidate.
func twinHDMHB(c HDMHBConfig, loss func() float64) twin {
	var x, before, gx, p, ps []float64
	beta, betas, fx := c.Momentum, 0.0, 0.0
	step := func(x, sum *float64, gradient, rate, most float64) {
		*sum += gradient * gradient
		*x = min(most, max(0, *x-rate*gradient/(math.Sqrt(*sum)+1e-12)))
	}
	return func(t int, rate float64, w, g []float64, _ []int) []float64 {
		n := len(w)
		grad := make([]float64, n)
		for i := range grad {
			grad[i] = g[i] + c.WeightDecay*w[i]
		}
		f := loss() + c.WeightDecay/2*normSq(w)
		if t == 1 {
			x, before, gx, fx = append([]float64(nil), w...), append([]float64(nil), w...), grad, f
			p, ps = make([]float64, n), make([]float64, n)
			for i := range p {
				p[i] = c.Initial
			}
		} else {
			below := normSq(gx) + c.Tau/2*normSq(minus(x, before)) + 1e-12
			all, byBeta := 0.0, 0.0
			for i := range w {
				e := grad[i] + c.Omega*(w[i]-x[i])
				all -= e * gx[i] / below
				byBeta += e * (x[i] - before[i]) / below
				if !c.Scalar {
					step(&p[i], &ps[i], -e*gx[i]/below, c.LR, math.Inf(1))
				}
			}
			step(&beta, &betas, byBeta, c.MomentumLR, c.MaxMomentum)
			if c.Scalar {
				step(&p[0], &ps[0], all, c.LR, math.Inf(1))
			}
			if before = append(before[:0], x...); !c.NullSteps || f < fx {
				x, gx, fx = append([]float64(nil), w...), grad, f
			}
		}
		for i := range w {
			size := p[i]
			if c.Scalar {
				size = p[0]
			}
			w[i] = x[i] - rate/c.LR*(size*gx[i]-beta*(x[i]-before[i]))
		}
		return w
	}
}

// TestHeavyBallTakesNullSteps compares a run on two functions with the twin's, with and
// without null steps, from rates that have the loss rise. With them the loss of what was
// taken never does.
func TestHeavyBallTakesNullSteps(t *testing.T) {
	for what, p := range problems() {
		for name, change := range map[string]func(c *HDMHBConfig){
			"diagonal":        func(c *HDMHBConfig) {},
			"scalar":          func(c *HDMHBConfig) { c.Scalar, c.Initial = true, 0.01 },
			"potential":       func(c *HDMHBConfig) { c.Omega, c.Tau, c.Initial = 0.5, 2, 0.01 },
			"decay, no nulls": func(c *HDMHBConfig) { c.WeightDecay, c.NullSteps, c.LR = 0.1, false, 1e-3 },
			"decay":           func(c *HDMHBConfig) { c.WeightDecay = 0.1 },
		} {
			t.Run(fmt.Sprintf("%s/%s", what, name), func(t *testing.T) {
				c := HDMHB(0.05)
				c.NullSteps = true
				change(c)
				n := len(p.optimum)
				d := drive(t, c, []*tensor.Dense{denseOf(make([]float64, n/2), n/2), denseOf(make([]float64, n-n/2), n-n/2)})
				follow := make([]float64, n)
				twin := twinHDMHB(*c, func() float64 { return p.value(minus(follow, p.optimum)) })
				best, nulls := math.Inf(1), 0
				for step := 1; step <= 60; step++ {
					scale := 1 - float64(step)/120
					g := p.gradient(minus(follow, p.optimum))
					d.loss = p.value(minus(d.evaluated(), p.optimum))
					if total := d.loss + c.WeightDecay/2*normSq(follow); total < best {
						best = total
					} else {
						nulls++
					}
					d.step(t, []*tensor.Dense{denseOf(g[:n/2], n/2), denseOf(g[n/2:], n-n/2)}, c.LR, scale)
					twin(step, c.LR*scale, follow, g, nil)
					if far := math.Sqrt(normSq(minus(d.evaluated(), follow)) / normSq(follow)); step > 1 && !(far <= 1e-9) {
						t.Fatalf("step %d: off by %.1e", step, far)
					}
				}
				if kernel := d.r.(*summed[float64]).k.(*heavyBall[float64]); c.NullSteps && math.Abs(kernel.held[0]-best) > 1e-12 {
					t.Errorf("J(θ) is %v, the lowest %v", kernel.held[0], best)
				}
				if c.NullSteps && nulls == 0 {
					t.Error("no step was null")
				}
			})
		}
	}
}
