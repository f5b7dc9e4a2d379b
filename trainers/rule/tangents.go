package rule

import "github.com/apo-gorgonia/apo/apoops"

// The tangents of the rules that work element by element. With x = g + λ·θ for a weight
// decay that is coupled, ∂x/∂log λ = λ·θ.

func (k *sgd[T]) Hyperparameters() []Hyperparameter {
	return []Hyperparameter{{WeightDecay, k.c.WeightDecay}}
}

func (k *sgd[T]) Set(_ string, value float64) { k.c.WeightDecay = value }

// Tangent is λ·θ, or (1+Momentum)·λ·θ with Nesterov.
func (k *sgd[T]) Tangent(_ string, t, w, _ []T, _ [][]T) {
	f := k.c.WeightDecay
	if k.c.Nesterov {
		f *= 1 + k.c.Momentum
	}
	scaled(t, w, T(f))
}

func (k *rmsprop[T]) Hyperparameters() []Hyperparameter {
	return []Hyperparameter{{WeightDecay, k.c.WeightDecay}, {Epsilon, k.c.Eps}}
}

func (k *rmsprop[T]) Set(name string, value float64) {
	if name == Epsilon {
		k.c.Eps = value
		return
	}
	k.c.WeightDecay = value
}

// Tangent is that of x/(r + Eps) for r = √v/root: (∂x - x·(∂r + ∂Eps)/(r + Eps))/(r + Eps)
// with ∂r = (1-Decay)·x·∂x/(root²·r). The momentum that follows adds it as it is.
func (k *rmsprop[T]) Tangent(name string, t, w, g []T, m [][]T) {
	eps, decay, keep, root := T(k.c.Eps), T(k.c.WeightDecay), T(1-k.c.Decay), k.root
	v := m[0][:len(t)]
	for i, x := range g[:len(t)] {
		dx := decay * w[i]
		x += dx
		r := sqrt(v[i]) / root
		if name == Epsilon {
			t[i] = ratioTangent(0, x, eps, r+eps)
			continue
		}
		t[i] = ratioTangent(dx, x, rootTangent(keep*x*dx, r*root*root), r+eps)
	}
}

func (k *adam[T]) Hyperparameters() []Hyperparameter {
	return []Hyperparameter{{WeightDecay, k.c.WeightDecay}, {Epsilon, k.c.Eps}}
}

func (k *adam[T]) Set(name string, value float64) {
	if name == Epsilon {
		k.c.Eps = value
		return
	}
	k.c.WeightDecay = value
}

// Tangent is λ·θ where the decay is decoupled. Else it is that of m̂/(√v̂ + Eps), whose m̂
// and v̂ have this step's x in them.
func (k *adam[T]) Tangent(name string, t, w, g []T, m [][]T) {
	if name == WeightDecay && k.c.Decoupled {
		scaled(t, w, T(k.c.WeightDecay))
		return
	}
	eps, first, root := T(k.c.Eps), 1/k.first, 1/k.root
	decay, keep1, keep2 := T(k.c.WeightDecay), T(1-k.c.Beta1), T(1-k.c.Beta2)
	u, v := m[0][:len(t)], m[1][:len(t)]
	for i, x := range g[:len(t)] {
		a, r := u[i]*first, sqrt(v[i])*root
		if name == Epsilon {
			t[i] = ratioTangent(0, a, eps, r+eps)
			continue
		}
		dx := decay * w[i]
		t[i] = ratioTangent(keep1*dx*first, a, rootTangent(keep2*(x+dx)*dx*root*root, r), r+eps)
	}
}

func (k *nadamw[T]) Hyperparameters() []Hyperparameter {
	return []Hyperparameter{{WeightDecay, k.c.WeightDecay}, {Epsilon, k.c.Eps}}
}

func (k *nadamw[T]) Set(name string, value float64) {
	if name == Epsilon {
		k.c.Eps = value
		return
	}
	k.c.WeightDecay = value
}

// Tangent is λ·θ for the decay, which is decoupled.
func (k *nadamw[T]) Tangent(name string, t, w, g []T, m [][]T) {
	if name == WeightDecay {
		scaled(t, w, T(k.c.WeightDecay))
		return
	}
	eps := T(k.c.Eps)
	u, v := m[0][:len(t)], m[1][:len(t)]
	for i, x := range g[:len(t)] {
		t[i] = ratioTangent(0, k.average*u[i]+k.fresh*x, eps, sqrt(v[i])*k.root+eps)
	}
}

// scaled sets t to f·w.
func scaled[T apoops.Float](t, w []T, f T) {
	for i, x := range w[:len(t)] {
		t[i] = f * x
	}
}

// ratioTangent is the derivative of a/b: (da - a·db/b)/b.
func ratioTangent[T apoops.Float](da, a, db, b T) T { return (da - a*db/b) / b }

// rootTangent is the derivative of r = √v, half/r for half = dv/2, or 0 where r is: there
// dv is 0 as well.
func rootTangent[T apoops.Float](half, r T) T {
	if r == 0 {
		return 0
	}
	return half / r
}
