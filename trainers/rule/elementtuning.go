package rule

import (
	"sync"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// TunedKernel is a Kernel with hyperparameters that APO can learn.
type TunedKernel[T apoops.Float] interface {
	Kernel[T]
	// Hyperparameters are those of Tunable.
	Hyperparameters() []Hyperparameter
	// Set changes one of them.
	Set(name string, value float64)
	// Tangent sets t to ∂d/∂log h for one of them, after Direction has advanced the moments
	// m with the same w and g. The moments before the step count as fixed.
	Tangent(name string, t, w, g []T, m [][]T)
}

// elementTuning is the Tunable of an elementwise rule.
type elementTuning[T apoops.Float] struct {
	rule     *elementwise[T]
	k        TunedKernel[T]
	names    []string
	d        []*tensor.Dense
	tangents [][]*tensor.Dense

	// The parameter that Look is at.
	at      int
	in      Input
	body    func(lo, hi int)
	scratch sync.Pool
}

// lookBlock is what Look needs of one block: moments that a direction may advance.
type lookBlock[T apoops.Float] struct {
	live, copied [mostMoments][]T
	moments      [mostMoments][elementBlock]T
	wide         [][elementBlock]T // of the moments in 16 bits
}

func newElementTuning[T apoops.Float](e *elementwise[T], k TunedKernel[T]) *elementTuning[T] {
	u := &elementTuning[T]{rule: e, k: k}
	u.body = u.run
	u.scratch.New = func() any { return &lookBlock[T]{wide: make([][elementBlock]T, e.wide)} }
	return u
}

func (u *elementTuning[T]) Hyperparameters() []Hyperparameter { return u.k.Hyperparameters() }

func (u *elementTuning[T]) Tune(names []string) error {
	u.names = names
	return CheckTuned(names, u.Hyperparameters())
}

func (u *elementTuning[T]) Set(values []float64) {
	for j, name := range u.names {
		u.k.Set(name, values[j])
	}
}

// Look advances copies of the moments.
func (u *elementTuning[T]) Look(in Input) ([]*tensor.Dense, [][]*tensor.Dense, error) {
	params := u.rule.params
	if err := CheckGradients(params, in.G); err != nil {
		return nil, nil, err
	}
	if u.d == nil {
		u.d = array.ZerosLike(params)
		for range u.names {
			u.tangents = append(u.tangents, array.ZerosLike(params))
		}
	}
	u.k.Begin(in.T)
	u.in = in
	for i, p := range params {
		u.at = i
		par.For(p.Value.DataSize(), par.Grain, u.body)
	}
	u.in = Input{}
	return u.d, u.tangents, nil
}

// run treats elements [lo, hi) of a parameter.
func (u *elementTuning[T]) run(lo, hi int) {
	s := u.scratch.Get().(*lookBlock[T])
	n := len(u.rule.names)
	live, copied := s.live[:n], s.copied[:n]
	seen, g, d := u.rule.view(u.at), apoops.Elements[T](u.in.G[u.at]), apoops.Elements[T](u.d[u.at])
	for end := lo; lo < hi; lo = end {
		var w []T
		w, end = seen.part(lo, hi)
		u.rule.m[u.at].read(live, s.wide, lo, end)
		for j, m := range live {
			copied[j] = s.moments[j][:copy(s.moments[j][:], m)]
		}
		if step := u.k.Direction(d[lo:end], w, g[lo:end], copied); u.k.Place() != OwnBuffer {
			copy(d[lo:end], step)
		}
		for j, name := range u.names {
			u.k.Tangent(name, apoops.Elements[T](u.tangents[j][u.at])[lo:end], w, g[lo:end], copied)
		}
	}
	u.scratch.Put(s)
}
