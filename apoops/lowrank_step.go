package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/lowrank"
)

// LowRank is what one step of learning P = P_B⊗P_A is computed from, see package
// lowrank. P descends Theorem 1's approximated objective,
//
//	-gᵀPg + ½(Pg)ᵀ(λ_FSD·F + λ_WSD·I)Pg
//
// for probes g that P itself whitens, g ~ N(0, P⁻¹): their update Pg needs no inverse,
// and the relative gradient of the mean is that of tr(PH) - log det P. Its minimiser is
// H⁻¹, whatever the probes, and in a family the nearest to it in Stein's divergence. H is
// averaged over the last steps, on each side what the probes show of it given the other.
// P is learned up to λ_FSD: towards (F + d)⁻¹ with d = λ_WSD/λ_FSD. The white noise that
// stands for the weight-space discrepancy is in the layer's inputs and in the gradients of
// its outputs (factored damping):
//
//	F̃ = E[(xxᵀ + r_a·I)⊗(zzᵀ + r_s·I)],  r_a = π√d,  r_s = √d/π,  π² = E x²/E z²
type LowRank struct {
	// X are n rows of a layer's inputs, the 1 of the bias included, n×in. Z are the
	// gradients of <q, y> by its outputs, n×out, for probes q of the model's outputs y
	// with E qqᵀ = the Hessian of the discrepancy: E vec(x zᵀ)vec(x zᵀ)ᵀ = F.
	X, Z *gorgonia.Node
	// PhiB and PhiA are V, C and p of the sides, in vectors of lowrank.Side.Len.
	PhiB, PhiA *gorgonia.Node
	// Moments are two numbers, the running averages of x² and of z²; 0 at first.
	Moments *gorgonia.Node
	// AverageB and AverageA are the running averages of the sides, in vectors of
	// lowrank.Side.AverageLen; 0 at first.
	AverageB, AverageA *gorgonia.Node
	// Hyper are d, w (the decay of the sides' averages) and τ (the size of the relative
	// step of the subspaces).
	Hyper *gorgonia.Node
	Rank  int
}

// LowRankNext are the results.
type LowRankNext struct {
	// They come after those of the same names. P_A has the mean eigenvalue 1.
	PhiB, PhiA, Moments, AverageB, AverageA *gorgonia.Node
	// Measures are the numbers of LowRankMeasures.
	Measures *gorgonia.Node
	// Energy is the scalar mean(‖x‖²·‖z‖²)/(in·out), the mean eigenvalue of F: P is
	// started at 1/(d + Energy).
	Energy *gorgonia.Node
}

// LowRankMeasures are what a step says of P and of its rows.
type LowRankMeasures struct {
	ShareB, ShareA float64 // of the rows' energy that lies in the subspace, 0 to 1
	// Discrepancy is ½tr(PF)/(in·out), the function-space discrepancy of the update of
	// a whitened probe, a number of the model. It is below ½, how far says the damping,
	// where P is learned.
	Discrepancy    float64
	TraceB, TraceA float64 // of the sides the step began with
}

// ReadLowRankMeasures reads the vector.
func ReadLowRankMeasures(v gorgonia.Value) (LowRankMeasures, error) {
	t, ok := v.(*tensor.Dense)
	if !ok || t.DataSize() != measures {
		return LowRankMeasures{}, ErrShape.Errorf("apoops: measures of a low-rank step: %v", v)
	}
	read, err := Choose(t.Dtype(), numbersOf[float32], numbersOf[float64])
	if err != nil {
		return LowRankMeasures{}, errors.WithMessage(err, "apoops: measures of a low-rank step")
	}
	x := read(t)
	return LowRankMeasures{ShareB: x[0], ShareA: x[1], Discrepancy: x[2], TraceB: x[3], TraceA: x[4]}, nil
}

const measures = 5

func numbersOf[T Float](t *tensor.Dense) (all [measures]float64) {
	for i, x := range Elements[T](t) {
		all[i] = float64(x)
	}
	return all
}

// LowRankStep adds one step to the graph. All results come from the old φ. Nothing has a
// gradient.
func LowRankStep(in LowRank) (next LowRankNext, err error) {
	for _, n := range []*gorgonia.Node{in.X, in.Z, in.PhiB, in.PhiA, in.Moments, in.AverageB, in.AverageA, in.Hyper} {
		if n == nil {
			return next, errors.New("apoops: lowRankStep: an operand is nil")
		}
	}
	if in.X.Dims() != 2 || in.Z.Dims() != 2 || in.X.Shape()[0] != in.Z.Shape()[0] {
		return next, ErrShape.Errorf("apoops: lowRankStep: rows of shapes %v and %v", in.X.Shape(), in.Z.Shape())
	}
	if in.Rank < 1 {
		return next, errors.Errorf("apoops: lowRankStep: the rank is %d", in.Rank)
	}
	build, err := Choose(in.X.Dtype(), buildLowRank[float32], buildLowRank[float64])
	if err == nil {
		next, err = build(in)
	}
	return next, errors.WithMessage(err, "apoops: lowRankStep")
}

func buildLowRank[T Float](in LowRank) (next LowRankNext, err error) {
	node := func(k kernel[T], operands ...*gorgonia.Node) (n *gorgonia.Node) {
		if err == nil {
			n, err = apply(k, operands...)
		}
		return n
	}
	b, a := lowrank.Side{Size: in.X.Shape()[1], Rank: in.Rank}, lowrank.Side{Size: in.Z.Shape()[1], Rank: in.Rank}
	projected := func(x, phi *gorgonia.Node, s lowrank.Side) *gorgonia.Node {
		if s.Dense() {
			return x
		}
		return node(&projectRows[T]{side: s}, x, phi)
	}
	next.Energy = node(&rowEnergy[T]{}, in.X, in.Z)
	next.Moments = node(&rowMoments[T]{}, in.X, in.Z, in.Moments)
	damping := node(&factoredDamping[T]{}, next.Moments, in.Hyper)
	xv, zv := projected(in.X, in.PhiB, b), projected(in.Z, in.PhiA, a)
	v := node(&rowWeights[T]{side: b, i: 0}, in.X, xv, in.PhiB, damping)
	w := node(&rowWeights[T]{side: a, i: 1}, in.Z, zv, in.PhiA, damping)
	stepB, stepA := &lowRankStep[T]{side: b, i: 0}, &lowRankStep[T]{side: a, i: 1}
	movedB := node(stepB, in.X, xv, w, in.PhiB, in.AverageB, damping, in.Hyper)
	movedA := node(stepA, in.Z, zv, v, in.PhiA, in.AverageA, damping, in.Hyper)
	next.Measures = node(&lowRankMeasure[T]{b: b, a: a, of: [2]*lowRankStep[T]{stepB, stepA}}, movedB, movedA, v, w, in.PhiB, in.PhiA, damping)
	next.PhiB = node(&partOf[T]{side: b}, movedB)
	next.PhiA = node(&gauge[T]{side: a}, movedA)
	next.AverageB = node(&partOf[T]{side: b, averages: true}, movedB)
	next.AverageA = node(&partOf[T]{side: a, averages: true}, movedA)
	return next, err
}

// vectorOf reports an operand that is not a vector of n numbers.
func vectorOf(s tensor.Shape, n int, operand string) error {
	if !s.Eq(tensor.Shape{n}) {
		return ErrShape.Errorf("%s has shape %v, not (%d)", operand, s, n)
	}
	return nil
}
