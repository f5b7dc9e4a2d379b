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
	setTuned(name, value, &k.c.WeightDecay, &k.c.Eps)
}

// Tangent is that of x/(√v/root + Eps). The momentum that follows adds it as it is.
func (k *rmsprop[T]) Tangent(name string, t, w, g []T, m [][]T) {
	d := quotient[T]{m: m[0], v: m[0], fresh: 1, da: 1, keep: T(1 - k.c.Decay), root: k.root, decay: T(k.c.WeightDecay), eps: T(k.c.Eps)}
	d.tangent(name, t, w, g)
}

func (k *adam[T]) Hyperparameters() []Hyperparameter {
	return []Hyperparameter{{WeightDecay, k.c.WeightDecay}, {Epsilon, k.c.Eps}}
}

func (k *adam[T]) Set(name string, value float64) {
	setTuned(name, value, &k.c.WeightDecay, &k.c.Eps)
}

// Tangent is λ·θ where the decay is decoupled. Else it is that of m̂/(√v̂ + Eps), whose m̂
// and v̂ have this step's x in them.
func (k *adam[T]) Tangent(name string, t, w, g []T, m [][]T) {
	if name == WeightDecay && k.c.Decoupled {
		scaled(t, w, T(k.c.WeightDecay))
		return
	}
	first := 1 / k.first
	d := quotient[T]{m: m[0], v: m[1], of: first, da: first * T(1-k.c.Beta1), keep: T(1 - k.c.Beta2), root: 1 / k.root, decay: T(k.c.WeightDecay), eps: T(k.c.Eps)}
	d.tangent(name, t, w, g)
}

func (k *nadamw[T]) Hyperparameters() []Hyperparameter {
	return []Hyperparameter{{WeightDecay, k.c.WeightDecay}, {Epsilon, k.c.Eps}}
}

func (k *nadamw[T]) Set(name string, value float64) {
	setTuned(name, value, &k.c.WeightDecay, &k.c.Eps)
}

// Tangent is λ·θ for the decay, which is decoupled.
func (k *nadamw[T]) Tangent(name string, t, w, g []T, m [][]T) {
	if name == WeightDecay {
		scaled(t, w, T(k.c.WeightDecay))
		return
	}
	d := quotient[T]{m: m[0], v: m[1], of: k.average, fresh: k.fresh, root: k.root, eps: T(k.c.Eps)}
	d.tangent(name, t, w, g)
}

// setTuned sets the one of that name.
func setTuned(name string, value float64, decay, eps *float64) {
	if name == Epsilon {
		*eps = value
		return
	}
	*decay = value
}

// scaled sets t to f·w.
func scaled[T apoops.Float](t, w []T, f T) {
	for i, x := range w[:len(t)] {
		t[i] = f * x
	}
}

// quotient is the direction a/(r + eps) with
//
//	x = g + decay·θ,  a = of·m + fresh·x,  r = root·√v
//
// after m and v have been advanced with x.
type quotient[T apoops.Float] struct {
	m, v       []T
	of, fresh  T
	da         T // ∂a/∂x, that through m included
	keep       T // v has keep·x²
	root       T
	decay, eps T
}

// tangent sets t to (∂a - a·∂(r + eps)/(r + eps))/(r + eps) by log decay or log eps, with
// ∂r = root²·keep·x·∂x/r.
func (k quotient[T]) tangent(name string, t, w, g []T) {
	for i, x := range g[:len(t)] {
		dx := k.decay * w[i]
		x += dx
		a, r := k.of*k.m[i]+k.fresh*x, k.root*sqrt(k.v[i])
		da, db := T(0), k.eps
		if name == WeightDecay {
			da, db = k.da*dx, rootTangent(k.root*k.root*k.keep*x*dx, r)
		}
		b := r + k.eps
		t[i] = (da - a*db/b) / b
	}
}

// rootTangent is the derivative of r = √v, half/r for half = dv/2, or 0 where r is: there
// dv is 0 as well.
func rootTangent[T apoops.Float](half, r T) T {
	if r == 0 {
		return 0
	}
	return half / r
}
