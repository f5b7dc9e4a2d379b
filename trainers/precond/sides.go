package precond

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/lowrank"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// sides learns P = P_B ⊗ P_A of one block from rows x, n×rows, and z, n×cols, whose
// mean of (xxᵀ)⊗(zzᵀ) is the block of the Gauss-Newton matrix. Both sides step from the
// P before, each with weights that are the other's part in the trace of PF̃:
//
//	w_n = (z_nᵀP_A z_n + r_s·tr P_A)/cols    for P_B, damped by r_a·mean(w)
//	v_n = (x_nᵀP_B x_n + r_a·tr P_B)/rows    for P_A, damped by r_s·mean(v)
//
// where r_a = π√d and r_s = √d/π, π² = mean(x²)/mean(z²) (running averages), share the
// damping d as KFAC does. Then P_A is scaled to a mean eigenvalue of 1, and P_B by the
// inverse.
type sides[T apoops.Float] struct {
	name    string
	b, a    side[T]
	moments []T // averages of x² and z², and what their weights add up to
	memory  float64
}

// side is P_B or P_A.
type side[T apoops.Float] struct {
	p, next lowrank.Matrix[T]
	mul     lowrank.Multiplier[T]
	step    lowrank.Learner[T]
	rows    []T // the rows as of this meta-step
	xv      []T // the rows times V
	w       []T // the other side's quadratic form
	trace   float64
}

func newSides[T apoops.Float](b *block, memory float64) *sides[T] {
	s := &sides[T]{name: b.Name, moments: make([]T, 3), memory: memory}
	s.a.over(s.b.over(b.p.Factors()))
	return s
}

// over takes the factors of the side from the front of the list.
func (s *side[T]) over(factors []*tensor.Dense) (rest []*tensor.Dense) {
	first := factors[0].Shape() // V, or C of a dense side
	of := lowrank.Side{Size: first[0], Rank: first[1]}
	s.p.Side = of
	s.next = lowrank.View(of, make([]T, of.Len()))
	if of.Dense() {
		s.p.C = apoops.Elements[T](factors[0])
		return factors[1:]
	}
	s.p.V, s.p.C, s.p.P = apoops.Elements[T](factors[0]), apoops.Elements[T](factors[1]), apoops.Elements[T](factors[2])
	return factors[3:]
}

// begin makes P = I/(d + f) with f the mean diagonal element of what the rows show.
func (s *sides[T]) begin(x, z *tensor.Dense, damping float64) bool {
	xs, zs := apoops.Elements[T](x), apoops.Elements[T](z)
	rows, cols := s.b.p.Size, s.a.p.Size
	n, f := len(xs)/rows, 0.0
	for i := range n {
		f += squares(xs[i*rows:(i+1)*rows]) * squares(zs[i*cols:(i+1)*cols])
	}
	scale := 1 / (damping + f/float64(n*rows*cols))
	if !(scale > 0) || !array.Within[T](1/scale) {
		return false
	}
	s.b.p.SetIdentity(T(scale))
	s.a.p.SetIdentity(1)
	return true
}

func squares[T apoops.Float](x []T) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

// project computes of the rows what both sides need of P as it is.
func (s *side[T]) project(x []T) {
	n := len(x) / s.p.Size
	s.rows, s.xv, s.w = x, sized(s.xv, n*s.p.Core()), sized(s.w, n)
	s.mul.Project(s.xv, x, n, s.p)
	s.mul.Quadratic(s.w, x, s.xv, n, s.p)
	s.trace = s.p.Trace()
}

// weigh turns xᵀPx into the weights of the other side's rows and returns their mean.
func (s *side[T]) weigh(damping float64) (mean float64) {
	size := float64(s.p.Size)
	for i, w := range s.w {
		v := (float64(w) + damping*s.trace) / size
		s.w[i] = T(v)
		mean += v
	}
	return mean / float64(len(s.w))
}

// move computes the next P of a side with the weights of the other.
func (s *side[T]) move(w []T, by lowrank.Step) {
	s.step.Step(s.next, s.p, s.rows, s.xv, w, len(w), by)
}

// take makes the next P the present one.
func (s *side[T]) take(scale float64) {
	s.next.Scale(T(scale))
	copy(s.p.V, s.next.V)
	copy(s.p.C, s.next.C)
	copy(s.p.P, s.next.P)
}

func (s *side[T]) finite() bool {
	return finite(s.next.V) && finite(s.next.C) && finite(s.next.P)
}

func finite[T apoops.Float](x []T) bool { return array.IsFinite(squares(x)) }

// meta takes a step on both sides. It reports false, and leaves P as it was, where the
// rows or what follows from them are not finite.
func (s *sides[T]) meta(x, z *tensor.Dense, by metaStep) (measured, bool) {
	s.b.project(apoops.Elements[T](x))
	s.a.project(apoops.Elements[T](z))
	m := measured{size: float64(s.b.p.Size * s.a.p.Size)}
	for i, v := range s.b.w {
		m.discrepancy += float64(v) * float64(s.a.w[i])
	}
	m.discrepancy /= m.size * float64(len(s.b.w))
	m.trace = s.b.trace * s.a.trace
	meanX, meanZ := squares(s.b.rows)/float64(len(s.b.rows)), squares(s.a.rows)/float64(len(s.a.rows))
	if !array.IsFinite(m.discrepancy) || !array.Within[T](meanX) || !array.Within[T](meanZ) {
		return m, false
	}
	e := s.memory
	next := [3]float64{e*float64(s.moments[0]) + (1-e)*meanX, e*float64(s.moments[1]) + (1-e)*meanZ, e*float64(s.moments[2]) + 1 - e}
	pi := math.Sqrt(max(next[0], 1e-30) / max(next[1], 1e-30))
	root := math.Sqrt(by.damping)
	ra, rs := pi*root, root/pi
	v, w := s.b.weigh(ra), s.a.weigh(rs)
	s.b.move(s.a.w, lowrank.Step{Size: by.size, Oja: by.turn, Damping: ra * w})
	s.a.move(s.b.w, lowrank.Step{Size: by.size, Oja: by.turn, Damping: rs * v})
	gauge := s.a.next.Trace() / float64(s.a.p.Size)
	if !s.b.finite() || !s.a.finite() || !(gauge > 0) {
		return m, false
	}
	m.energyB, m.energyA = share(s.b.step.Share()), share(s.a.step.Share())
	s.a.take(1 / gauge)
	s.b.take(gauge)
	for i, v := range next {
		s.moments[i] = T(v)
	}
	return m, true
}

// scalar makes P = I/(d + f) with f the running average of the mean of h².
func (s *sides[T]) scalar(h *tensor.Dense, by metaStep) (measured, bool) {
	x, mean := apoops.Elements[T](h), 0.0
	for _, v := range x {
		mean += float64(v)
	}
	mean /= float64(len(x))
	m := measured{size: float64(len(x)), trace: s.b.p.Trace() * s.a.p.Trace()}
	m.discrepancy = mean * m.trace / m.size
	if !array.Within[T](mean) {
		return m, false
	}
	e := s.memory
	s.moments[0], s.moments[2] = T(e*float64(s.moments[0])+(1-e)*mean), T(e*float64(s.moments[2])+1-e)
	s.b.p.SetIdentity(T(1 / (by.damping + float64(s.moments[0])/float64(s.moments[2]))))
	s.a.p.SetIdentity(1)
	return m, true
}

// share is the part of the rows' energy that lies in the subspace.
func share(s lowrank.Share) float64 {
	if !(s.Whole > 0) {
		return 0
	}
	return min(s.Inside/s.Whole, 1)
}

// norms are the Frobenius norms of P_A and P_B, and the condition of P.
func (s *sides[T]) norms() (a, b, condition float64) {
	least, most := 1.0, 1.0
	for _, p := range []lowrank.Matrix[T]{s.a.p, s.b.p} {
		lo, hi, err := p.Spectrum()
		if err != nil {
			return math.NaN(), math.NaN(), math.NaN()
		}
		least, most = least*lo, most*hi
	}
	return s.a.norm(), s.b.norm(), most / least
}

// norm is the Frobenius norm of P.
func (s *side[T]) norm() float64 {
	sum := squares(s.p.C)
	if !s.p.Dense() {
		sum += squares(s.p.P) * float64(s.p.Size-s.p.Rank)
	}
	return math.Sqrt(sum)
}

func (s *sides[T]) state() []checkpoint.NamedTensor {
	return []checkpoint.NamedTensor{{Name: s.name + "/moments", Value: array.Vector(s.moments)}}
}

func sized[T any](buf []T, n int) []T {
	if len(buf) == n {
		return buf
	}
	return make([]T, n)
}
