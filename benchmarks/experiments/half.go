package experiments

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/pkg/errors"
	"gonum.org/v1/gonum/mat"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// half compares the preconditioners of one layer's inputs in arithmetic of 16 bits.
var half = &Experiment{
	Name: "half-precision", Figure: NotInThePaper, Title: "Preconditioners in 16 bits", Data: "rows x ~ N(0, Σ)",
	Paper: notThePapers,
	Choices: "64 inputs, standard deviations from 1 to 1e-2 or 1e-4, evenly on a logarithmic scale, in random directions; 500 steps on 64 new rows each; " +
		"the damping of a side is the root of the damping; the low-rank form with rank 16, averages of 0.9 and τ 0.5; KFAC's average of xxᵀ decays by 0.95, " +
		"its inverse is Cholesky's; every factor, every product and every sum of matrices is rounded, products are added up exactly; stable means finite and, in the direction " +
		"of each eigenvector of Σ, between half and twice what the same method has in float64, with each of three seeds",
	Computation: halfPrecision{},
}

type halfPrecision struct{}

var _ Computation = halfPrecision{}

// Half is the result of half.
type Half struct {
	Rows []HalfRow `json:"rows"`
}

// HalfRow is what a method has in a format at a damping.
type HalfRow struct {
	Format string `json:"format"`
	Method string `json:"method"`
	// Spread is the largest standard deviation of an input relative to the least.
	Spread  float64 `json:"spread"`
	Damping float64 `json:"damping"`
	// Factor is the largest one, of all directions and seeds, between P in the format
	// and in float64, upwards or downwards; 0 where P is not positive or not finite.
	Factor float64 `json:"factor"`
}

// The methods and the largest factor that counts as stable.
const (
	halfLowRank, halfKFAC = "APO-Precond", "KFAC"
	stableFactor          = 2
)

// halfCase is the size of the computation; a step sees as many rows as there are inputs.
type halfCase struct {
	inputs, rank, steps, seeds int
	dampings                   []float64
}

var (
	halfSpreads = []float64{1e2, 1e4}
	halfFormats = []apoops.Format{apoops.Float16, apoops.BFloat16}
)

// Compute implements Computation.
func (halfPrecision) Compute(ctx context.Context, s Scale) (Result, error) {
	c := halfCase{inputs: 64, rank: 16, steps: 500, seeds: 3}
	if s == Smoke {
		c = halfCase{inputs: 24, rank: 6, steps: 60, seeds: 1}
	}
	for e := -2.0; e >= -9; e -= 0.5 {
		c.dampings = append(c.dampings, math.Pow(10, e))
	}
	result := &Half{}
	for _, spread := range halfSpreads {
		for _, d := range c.dampings {
			rows, err := c.at(ctx, spread, d)
			if err != nil {
				return nil, err
			}
			result.Rows = append(result.Rows, rows...)
		}
	}
	return result, nil
}

// at compares both formats with float64.
func (c halfCase) at(ctx context.Context, spread, damping float64) (rows []HalfRow, err error) {
	for _, f := range halfFormats {
		low, kfac := 1.0, 1.0
		for seed := range uint64(c.seeds) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			want, got := c.learn(arithmetic{exact: true}, spread, damping, seed), c.learn(arithmetic{format: f}, spread, damping, seed)
			directions := orthonormal(c.random(seed), c.inputs, c.inputs)
			low = worse(low, factorOf(got[0], want[0], directions))
			kfac = worse(kfac, factorOf(got[1], want[1], directions))
		}
		rows = append(rows, HalfRow{f.String(), halfLowRank, spread, damping, low}, HalfRow{f.String(), halfKFAC, spread, damping, kfac})
	}
	return rows, nil
}

func (c halfCase) random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 16)) }

// learn returns the P of both methods, KFAC's nil where there is none.
func (c halfCase) learn(a arithmetic, spread, damping float64, seed uint64) [2]*mat.Dense {
	rng := c.random(seed)
	root := orthonormal(rng, c.inputs, c.inputs) // directions, then the root of Σ
	for j := range c.inputs {
		deviation := math.Pow(spread, -float64(j)/float64(c.inputs-1))
		for i := range c.inputs {
			root.Set(i, j, deviation*root.At(i, j))
		}
	}
	n, rho := c.inputs, math.Sqrt(damping)
	low := &halfSide{arithmetic: a, v: a.round(orthonormal(rng, c.inputs, c.rank)), c: identity(c.rank), p: 1}
	factor := mat.NewDense(c.inputs, c.inputs, nil)
	for range c.steps {
		x := mat.NewDense(n, c.inputs, nil)
		x.Mul(gaussian(rng, n, c.inputs), root.T())
		a.round(x)
		low.step(x, 0.9, 0.5, rho)
		t := a.scaled(1/math.Sqrt(float64(n)), x)
		factor = a.add(a.scaled(0.95, factor), 0.05, a.mul(t.T(), t))
	}
	inverse, ok := a.inverse(a.add(factor, rho, identity(c.inputs)))
	if !ok {
		inverse = nil
	}
	return [2]*mat.Dense{low.times(identity(c.inputs)), inverse}
}

// factorOf is the largest factor between eᵀPe of two P, upwards or downwards, for the
// columns e of directions; 0 if one is not positive.
func factorOf(got, want, directions *mat.Dense) float64 {
	if got == nil || want == nil {
		return 0
	}
	largest := 1.0
	for j := range directions.RawMatrix().Cols {
		e := directions.ColView(j)
		ratio := mat.Inner(e, got, e) / mat.Inner(e, want, e)
		if !(ratio > 0) || math.IsInf(ratio, 0) {
			return 0
		}
		largest = max(largest, ratio, 1/ratio)
	}
	return largest
}

// worse is the larger of two factors, of which 0 is the worst.
func worse(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// Decode implements Computation.
func (halfPrecision) Decode(text []byte) (Result, error) {
	var h Half
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, errors.Wrap(err, half.Name)
	}
	if len(h.Rows) == 0 {
		return nil, errors.Errorf("%s: no rows", half.Name)
	}
	return &h, nil
}

// Claims implements Computation.
func (halfPrecision) Claims() (all []Claim) {
	for _, spread := range halfSpreads {
		for _, f := range halfFormats {
			all = append(all, Claim{
				Where: "goal", Text: fmt.Sprintf("in %v the low-rank form is stable at a tenth of the damping that KFAC's factors need, or less (inputs of a spread of %g)", f, spread),
				Decide: func(r Result) (bool, string) {
					low, kfac := r.(*Half).least(f.String(), halfLowRank, spread), r.(*Half).least(f.String(), halfKFAC, spread)
					return low <= 0.11*kfac && !math.IsInf(low, 0), fmt.Sprintf("stable from a damping of %.2g on, KFAC from %.2g", low, kfac)
				},
			})
		}
	}
	return all
}

// least is the smallest damping from which on a method is stable, +Inf for none.
func (h *Half) least(format, method string, spread float64) float64 {
	from := math.Inf(1)
	for _, r := range h.Rows { // from the largest damping
		switch {
		case r.Format != format || r.Method != method || r.Spread != spread:
		case r.Factor == 0 || r.Factor > stableFactor:
			return from
		default:
			from = r.Damping
		}
	}
	return from
}

// Figures implements Result: the factors by damping, as far as P is positive.
func (h *Half) Figures(title string) (all []Figure) {
	for _, spread := range halfSpreads {
		c := chart.Chart{Title: fmt.Sprintf("%s, inputs of a spread of %g", title, spread), X: "damping", LogX: true, Y: "largest factor between P and P in float64"}
		for _, method := range []string{halfLowRank, halfKFAC} {
			for _, f := range halfFormats {
				l := chart.Line{Name: method + ", " + f.String(), Color: chart.Colors[len(c.Lines)], Dashed: method == halfKFAC}
				for _, r := range h.Rows {
					if r.Spread == spread && r.Method == method && r.Format == f.String() && r.Factor > 0 {
						l.X, l.Y = append(l.X, r.Damping), append(l.Y, r.Factor)
					}
				}
				c.Lines = append(c.Lines, l)
			}
		}
		all = append(all, Figure{Name: fmt.Sprintf("spread-%g", spread), Chart: c,
			Caption: "how far P in 16 bits is from that in float64, in the worst direction; a line ends where P is no longer positive"})
	}
	return all
}
