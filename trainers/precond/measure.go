package precond

import (
	"math"
	"strings"

	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// measured is what a meta-step saw of a block's P.
type measured struct {
	trace            float64
	discrepancy      float64 // ½·tr(PF) divided by the number of weights
	energyB, energyA float64 // see record.PrecondMeasures
}

// measure reads what the last meta-step measured. With P/λ_FSD in the place of P, Loss is
// the linear term of the objective that Theorem 1 approximates Q by, FSD and WSD the
// others, all averaged over whitened probes v: -vᵀPv, ½(Pv)ᵀF(Pv) and ½‖Pv‖².
func (l *learner) measure(m *record.MetaStats, damping float64) error {
	for i, b := range l.u.blocks {
		size := float64(b.Rows * b.Cols)
		list, err := l.probe.Measures(i)
		if err != nil {
			return err
		}
		var s measured
		if list == nil { // the diagonal of F is known: P = 1/(F + d)
			s.trace, s.energyB, s.energyA = trace(b), 1, 1
			s.discrepancy = (1 - damping*s.trace/size) / 2
		} else {
			value := make(map[string]float64, len(list))
			for _, x := range list {
				value[x.Name] = x.Value
			}
			s = measured{value["trace_B"] * value["trace_A"], value["discrepancy"], value["share_B"], value["share_A"]}
		}
		l.u.seen[i] = s
		m.Loss -= size
		m.FSD += s.discrepancy * size / m.LambdaFSD
		m.WSD += s.trace / m.LambdaFSD / 2
	}
	m.Q = m.Loss + m.LambdaFSD*m.FSD + m.LambdaWSD*m.WSD
	return nil
}

// norms are what the recorder shows of each block.
func (l *learner) norms() []record.PrecondNorms {
	all := make([]record.PrecondNorms, len(l.blocks))
	for i, p := range l.blocks {
		b, seen := l.u.blocks[i], l.u.seen[i]
		least, largest, err := p.Spectrum()
		if err != nil {
			least, largest = math.NaN(), math.NaN()
		}
		all[i] = record.PrecondNorms{Block: b.Name, A: sideNorm(b, "A"), B: sideNorm(b, "B"), S: factorNorm(b, "S"), Measures: &record.PrecondMeasures{
			EnergyA: seen.energyA, EnergyB: seen.energyB, Condition: largest / least, Trace: seen.trace, Discrepancy: seen.discrepancy,
		}}
	}
	return all
}

// sideNorm is the Frobenius norm of a side of low rank: ‖C‖² + (m - r)·p² is its square.
func sideNorm(b *block, name string) float64 {
	c, p := factorNorm(b, "C_"+name), factorNorm(b, "p_"+name)
	sum := c * c
	for _, q := range b.factors {
		if strings.HasSuffix(q.Name, "/V_"+name) {
			sum += p * p * float64(q.Value.Shape()[0]-q.Value.Shape()[1])
		}
	}
	return math.Sqrt(sum)
}

// factorNorm is the norm of a factor, 0 where the form has none of that name.
func factorNorm(b *block, name string) float64 {
	for _, q := range b.factors {
		if strings.HasSuffix(q.Name, "/"+name) {
			return array.Norm(q.Value)
		}
	}
	return 0
}

// trace is tr P of a block in whose form P is not measured: one of squares, or a
// multiple of the identity.
func trace(b *block) float64 {
	size := float64(b.Rows * b.Cols)
	if !b.rowless {
		n := array.SumSquares(b.factors[0].Value)
		return n * size / float64(b.factors[0].Value.DataSize())
	}
	return sideNorm(b, "B") * sideNorm(b, "A") / math.Sqrt(size) * size
}
