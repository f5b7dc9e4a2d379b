package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// heavyBall is the kernel of HDM-HB. Its arrays are θ, g and θ-θ⁻ of the step before, P and S.
type heavyBall[T apoops.Float] struct {
	c     HDMHBConfig
	t     int
	loss  float64   // J(θ⁺)
	rates []float64 // of StaysFinite

	held  []float64 // J(θ), ‖g‖² and ‖θ-θ⁻‖²
	beta  []float64 // β and s
	one   []float64 // P and S where they are numbers
	n     float64   // of the feedback
	taken bool      // θ⁺ becomes θ

	grad, far float64 // bounds of ‖g⁺‖ and ‖θ⁺-θ‖
}

func newHeavyBall[T apoops.Float](c *HDMHBConfig) *heavyBall[T] {
	return &heavyBall[T]{c: *c, held: make([]float64, 3), beta: []float64{c.Momentum, 0}, one: []float64{c.Initial, 0}}
}

// tiny is added to n and to AdaGrad's roots.
const tiny = 1e-12

// The numbers of the arrays.
const (
	hbWeights = iota
	hbGradient
	hbMomentum
	hbP
	hbS
)

func (k *heavyBall[T]) arrays() []stateArray {
	all := []stateArray{
		hbWeights: {name: "weights", kind: inFloat32, origin: true}, hbGradient: {name: "last", kind: precision.Momentum},
		hbMomentum: {name: "m", kind: precision.Momentum},
	}
	if !k.c.Scalar {
		all = append(all, stateArray{name: "P", kind: inFloat32}, stateArray{name: "S", kind: inFloat32})
	}
	return all
}

func (k *heavyBall[T]) numbers() []stateNumbers {
	all := []stateNumbers{{"held", k.held}, {"beta", k.beta}}
	if k.c.Scalar {
		all = append(all, stateNumbers{"P", k.one})
	}
	return all
}

func (k *heavyBall[T]) begin(in Input, rates []float64) {
	k.t, k.loss, k.rates = in.T, in.Loss, rates
	k.n = k.held[1] + k.c.Tau/2*k.held[2] + tiny
}

// feedback has g⁺ with its weight decay, θ⁺-θ and e = g⁺ + Omega·(θ⁺-θ) of an element.
func (k *heavyBall[T]) feedback(g, w, theta T) (gradient, moved, e float64) {
	gradient, moved = float64(g)+k.c.WeightDecay*float64(w), float64(w)-float64(theta)
	return gradient, moved, gradient + k.c.Omega*moved
}

// gather sums up <e, θ-θ⁻>, <e, g>, ‖g⁺‖², ‖θ⁺-θ‖² and ‖θ⁺‖².
func (k *heavyBall[T]) gather(a *arraysOf[T], lo, hi int) (s sums) {
	theta, last, m := a.m[hbWeights][lo:hi], a.m[hbGradient][lo:hi], a.m[hbMomentum][lo:hi]
	w, g := a.w[lo:hi], a.g[lo:hi]
	for i, x := range w {
		gradient, moved, e := k.feedback(g[i], x, theta[i])
		s[0] += e * float64(m[i])
		s[1] += e * float64(last[i])
		s[2] += gradient * gradient
		s[3] += moved * moved
		s[4] += float64(x) * float64(x)
	}
	return s
}

func (k *heavyBall[T]) settle(totals []sums) {
	var all sums
	for _, s := range totals {
		for j, v := range s {
			all[j] += v
		}
	}
	if k.t > 1 {
		k.beta[0], k.beta[1] = adagrad(k.beta[0], k.beta[1], all[0]/k.n, k.c.MomentumLR)
		k.beta[0] = min(k.beta[0], k.c.MaxMomentum)
	}
	if k.t > 1 && k.c.Scalar {
		k.one[0], k.one[1] = adagrad(k.one[0], k.one[1], -all[1]/k.n, k.c.LR)
	}
	loss := k.loss + k.c.WeightDecay/2*all[4]
	// Weights that have not moved are of the first step, or were replaced.
	if k.taken = !k.c.NullSteps || all[3] == 0 || loss < k.held[0]; k.taken {
		k.held[0], k.held[1], k.held[2] = loss, all[2], all[3]
	} else {
		k.held[2] = 0
	}
}

// adagrad is a step on a number x that stays at 0 or above; sum is that of squares.
func adagrad(x, sum, gradient, rate float64) (moved, total float64) {
	sum += gradient * gradient
	return max(0, x-rate*gradient/(math.Sqrt(sum)+tiny)), sum
}

func (k *heavyBall[T]) direct(a *arraysOf[T], lo, hi int) {
	theta, last, m := a.m[hbWeights][lo:hi], a.m[hbGradient][lo:hi], a.m[hbMomentum][lo:hi]
	w, g, d := a.w[lo:hi], a.g[lo:hi], a.d[lo:hi]
	var p, s []T
	if !k.c.Scalar {
		p, s = a.m[hbP][lo:hi], a.m[hbS][lo:hi]
	}
	size := k.one[0]
	for i, x := range w {
		gradient, moved, e := k.feedback(g[i], x, theta[i])
		if p != nil {
			size = k.learn(p, s, i, -e*float64(last[i])/k.n)
		}
		back := 0.0
		if k.taken {
			theta[i], last[i], m[i] = x, T(gradient), T(moved)
		} else if m[i] = 0; a.rate > 0 {
			back = moved / a.rate
		}
		d[i] = T(back + (size*float64(last[i])-k.beta[0]*float64(m[i]))/k.c.LR)
	}
}

// learn moves element i of P, which it returns.
func (k *heavyBall[T]) learn(p, s []T, i int, gradient float64) float64 {
	size, sum := k.c.Initial, 0.0
	if k.t > 1 {
		size, sum = adagrad(float64(p[i]), float64(s[i]), gradient, k.c.LR)
	}
	p[i], s[i] = T(size), T(sum)
	return size
}

func (k *heavyBall[T]) foresee(norm float64, bounds [][]float64) {
	k.grad = norm + k.c.WeightDecay*normOf(bounds, 0)
	k.far = normOf(bounds, 0) + normOf(bounds, 1+hbWeights)
}

// reach knows that a step of AdaGrad is at most LR.
func (k *heavyBall[T]) reach(i int, _ float64, x []float64) (d float64) {
	last, p := x[1+hbGradient], k.one[0]+k.c.LR
	if !k.c.Scalar {
		gradient := (k.grad + k.c.Omega*k.far) * last / k.n
		x[1+hbP] = max(x[1+hbP]+k.c.LR, k.c.Initial)
		x[1+hbS] += gradient * gradient
		if !array.Within[T](x[1+hbS]) {
			return math.Inf(1)
		}
		p = x[1+hbP]
	}
	moved := x[0] + x[1+hbWeights]
	x[1+hbWeights] = max(x[1+hbWeights], x[0])
	x[1+hbGradient] = max(last, k.grad)
	x[1+hbMomentum] = max(x[1+hbMomentum], moved)
	if k.c.NullSteps && k.rates[i] > 0 {
		d = moved / k.rates[i]
	}
	return d + (p*x[1+hbGradient]+max(k.c.MaxMomentum, k.c.Momentum)*x[1+hbMomentum])/k.c.LR
}
