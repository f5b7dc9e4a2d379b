package form

import (
	"cmp"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/lowrank"
)

// DefaultRank is the rank of LowRank where none is set.
const DefaultRank = 32

// LowRank is P = P_B⊗P_A, U = P_B·G·P_A, with sides of low rank plus a multiple of the
// identity:
//
//	P_B = p(I - VVᵀ) + VCVᵀ
//
// V of rows×r is orthonormal, C of r×r symmetric and positive, p > 0; P_A likewise for
// the columns. A side of at most 2r has P = C alone. It is Eq. 9 with S of rank one and
// much fewer numbers, and costs 4r multiplications an element of G. It starts with a
// random V and P = rate·I. The arrays of one side lie one after the other in memory.
//
// P is learned from rows, see apoops.LowRankStep.
type LowRank struct {
	Base
	Rank int // r; 0 stands for DefaultRank
}

func (f LowRank) sides(rows, cols int) (b, a lowrank.Side) {
	r := max(cmp.Or(f.Rank, DefaultRank), 1)
	return lowrank.Side{Size: rows, Rank: r}, lowrank.Side{Size: cols, Rank: r}
}

// Name implements Form.
func (LowRank) Name() string { return "low-rank" }

// Factors implements Form.
func (f LowRank) Factors(rows, cols int) []Factor {
	b, a := f.sides(rows, cols)
	return append(sideFactors(b, "B"), sideFactors(a, "A")...)
}

func sideFactors(s lowrank.Side, name string) []Factor {
	c := Factor{"C_" + name, tensor.Shape{s.Core(), s.Core()}}
	if s.Dense() {
		return []Factor{c}
	}
	return []Factor{{"V_" + name, tensor.Shape{s.Size, s.Rank}}, c, {"p_" + name, tensor.Shape{1}}}
}

// Lookahead implements Form.
func (f LowRank) Lookahead(phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	b, _ := f.sides(1, 1)
	return apoops.PreconditionLowRank(g, b.Rank, phi...)
}

// Start implements Form.
func (f LowRank) Start(s Setup) (Preconditioner, error) {
	if f.Rank < 0 {
		return nil, apoops.ErrShape.Errorf("the rank is %d", f.Rank)
	}
	start, err := apoops.Choose(s.Dtype, startLowRank[float32], startLowRank[float64])
	if err != nil {
		return nil, err
	}
	return start(f, s), nil
}

// Probed implements Form.
func (f LowRank) Probed() Probed { return probedLowRank{f} }

// lowRank is a P of two sides.
type lowRank[T apoops.Float] struct {
	dense []*tensor.Dense // the factors
	phi   [2][]T          // of B and A
	p     [2]lowrank.Matrix[T]
	mul   lowrank.Multiplier[T]
}

func startLowRank[T apoops.Float](f LowRank, s Setup) Preconditioner {
	k := new(lowRank[T])
	b, a := f.sides(s.Rows, s.Cols)
	for i, side := range []lowrank.Side{b, a} {
		k.phi[i] = make([]T, side.Len())
		p := lowrank.View(side, k.phi[i])
		k.p[i] = p
		c := tensor.New(tensor.WithShape(side.Core(), side.Core()), tensor.WithBacking(p.C))
		if side.Dense() {
			k.dense = append(k.dense, c)
			continue
		}
		lowrank.Orthonormal(p.V, side, 2*s.Seed+uint64(i))
		k.dense = append(k.dense, tensor.New(tensor.WithShape(side.Size, side.Rank), tensor.WithBacking(p.V)), c, vector(p.P))
	}
	k.Restart(s.Rate)
	return k
}

func (p *lowRank[T]) Factors() []*tensor.Dense { return p.dense }

func (p *lowRank[T]) Multiply(dst, g *tensor.Dense) {
	p.mul.Gradient(apoops.Elements[T](dst), apoops.Elements[T](g), p.p[0], p.p[1])
}

// MultiplyInputs implements TwoSided.
func (p *lowRank[T]) MultiplyInputs(dst, x *tensor.Dense) { p.rows(0, dst, x) }

// MultiplyOutputs implements TwoSided.
func (p *lowRank[T]) MultiplyOutputs(dst, z *tensor.Dense) { p.rows(1, dst, z) }

// Costs implements TwoSided.
func (p *lowRank[T]) Costs() (inputs, outputs int) { return cost(p.p[0].Side), cost(p.p[1].Side) }

// cost is the number of multiplications in a product of P and a vector.
func cost(s lowrank.Side) int {
	if s.Dense() {
		return s.Size * s.Size
	}
	return 2 * s.Rank * s.Size
}

func (p *lowRank[T]) rows(side int, dst, x *tensor.Dense) {
	in := apoops.Elements[T](x)
	p.mul.Rows(apoops.Elements[T](dst), in, len(in)/p.p[side].Size, p.p[side])
}

// Bound uses ‖P‖ ≤ p + ‖V‖²·(‖C‖ + p√r) for each side, all norms at least 1.
func (p *lowRank[T]) Bound(norms []float64) float64 {
	product := 1.0
	for _, side := range p.p {
		if side.Dense() {
			product *= max(norms[0], 1)
			norms = norms[1:]
			continue
		}
		v, c, q := max(norms[0], 1), max(norms[1], 1), max(norms[2], 1)
		product *= q + v*v*(c+q*math.Sqrt(float64(side.Rank)))
		norms = norms[3:]
	}
	return product
}

func (p *lowRank[T]) probed() ProbeLearner { return newLowRankLearner(p) }

// Restart makes P_B = rate·I and P_A = I.
func (p *lowRank[T]) Restart(rate float64) {
	p.p[0].SetIdentity(T(rate))
	p.p[1].SetIdentity(1)
}

// Spectrum is that of P_B⊗P_A.
func (p *lowRank[T]) Spectrum() (least, largest float64, err error) {
	least, largest = 1, 1
	for _, side := range p.p {
		lo, hi, err := side.Spectrum()
		if err != nil {
			return math.NaN(), math.NaN(), err
		}
		least, largest = least*lo, largest*hi
	}
	return least, largest, nil
}
