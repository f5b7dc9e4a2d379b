package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// SampleCategorical draws a class for each row of the logits z, N×C, with the
// probabilities softmax(z): a vector of N numbers of tensor.Int. The draws are a
// function of the seed and step of noise, the row and z alone. No gradient goes
// through a sample.
func SampleCategorical(z *gorgonia.Node, noise *Random) (*gorgonia.Node, error) {
	if noise == nil {
		return nil, errors.New("apoops: sampleCategorical: noise is nil")
	}
	none := TokenSettings{Padding: -1}
	return applyFloat(&sampleClass[float32]{noise: noise, TokenSettings: none}, &sampleClass[float64]{noise: noise, TokenSettings: none}, z)
}

// SampleBernoulli draws 1 with the probability 1/(1+e⁻ᶻ) and 0 otherwise for each
// element of the logits z, as SampleCategorical does.
func SampleBernoulli(z *gorgonia.Node, noise *Random) (*gorgonia.Node, error) {
	return newSample(z, noise, true)
}

// SampleNormal draws from N(y, 1) for each element of y, as SampleCategorical
// does: the distribution whose negative log-likelihood is SquaredError.
func SampleNormal(y *gorgonia.Node, noise *Random) (*gorgonia.Node, error) {
	return newSample(y, noise, false)
}

func newSample(y *gorgonia.Node, noise *Random, logistic bool) (*gorgonia.Node, error) {
	if noise == nil {
		return nil, errors.New("apoops: sample: noise is nil")
	}
	return applyFloat(&sample[float32]{noise: noise, logistic: logistic}, &sample[float64]{noise: noise, logistic: logistic}, y)
}

// sampleClass is the kernel of SampleCategorical and SampleTokens.
type sampleClass[T Float] struct {
	noGradient[T]
	TokenSettings
	noise  *Random
	a      *args[T]
	key    uint64
	cols   int
	before int // rows of other members of a group
	body   func(lo, hi int)
}

func (k *sampleClass[T]) name() string     { return "sampleCategorical" }
func (k *sampleClass[T]) resultIsInteger() {}

func (k *sampleClass[T]) clone() kernel[T] {
	return &sampleClass[T]{noise: k.noise, TokenSettings: k.TokenSettings}
}

func (k *sampleClass[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantMatrix(in[0], "logits"); err != nil {
		return nil, err
	}
	if len(in) > 1 {
		return in[1].Clone(), checkTokenRows(in[0], in[1], "logits")
	}
	return tensor.Shape{in[0][0]}, nil
}

func (k *sampleClass[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a, k.cols, k.key, k.before = a, a.shapes[0][1], k.noise.key(0), k.noise.before(len(a.outInts))
	par.For(len(a.outInts), par.RowGrain(k.cols), k.body)
	return nil
}

func (k *sampleClass[T]) rows(lo, hi int) {
	var buf vmath.Block
	for i := lo; i < hi; i++ {
		if k.a.ints != nil && !k.counts(k.a.ints[i]) {
			k.a.outInts[i] = k.Padding
			continue
		}
		k.a.outInts[i] = draw(&buf, k.a.in[0][i*k.cols:(i+1)*k.cols], k.Padding, uniform(k.key, k.before+i))
	}
}

// draw is the class at which the sum of the probabilities, that of the class without
// left out, exceeds u; the last possible one where rounding leaves the sum below u.
func draw[T Float](buf *vmath.Block, z []T, without int, u float64) int {
	m := vmath.RowMax(z)
	sum, class := vmath.SumExp(buf, z, m), 0
	if without >= 0 && without < len(z) {
		head, tail := z[:without], z[without+1:]
		m = max(vmath.RowMax(head), vmath.RowMax(tail))
		sum = vmath.SumExp(buf, head, m) + vmath.SumExp(buf, tail, m)
	}
	left := u * sum
	for from := 0; from < len(z); {
		block := vmath.ExpBlock(buf, z[from:], m)
		for j, p := range block {
			if from+j == without {
				continue
			}
			if p > 0 {
				class = from + j
			}
			if left -= p; left < 0 {
				return class
			}
		}
		from += len(block)
	}
	return class
}

// sample is the kernel of SampleBernoulli and SampleNormal.
type sample[T Float] struct {
	noGradient[T]
	noise    *Random
	logistic bool
	a        *args[T]
	key      uint64
	before   int // elements of other members of a group
	body     func(lo, hi int)
}

func (k *sample[T]) name() string { return "sample" }
func (k *sample[T]) clone() kernel[T] {
	return &sample[T]{noise: k.noise, logistic: k.logistic}
}

func (k *sample[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *sample[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.elements
	}
	k.a, k.key, k.before = a, k.noise.key(0), k.noise.before(len(a.out))
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *sample[T]) elements(lo, hi int) {
	y, out := k.a.in[0][lo:hi], k.a.out[lo:hi]
	if !k.logistic {
		for i, v := range y {
			out[i] = T(float64(v) + normal(k.key, k.before+lo+i))
		}
		return
	}
	var buf vmath.Block
	for i := 0; i < len(y); {
		block := vmath.SigmoidBlock(&buf, y[i:])
		for _, p := range block {
			out[i] = 0
			if uniform(k.key, k.before+lo+i) < p {
				out[i] = 1
			}
			i++
		}
	}
}

// ProbeCategorical draws a direction q of the logits z, N×C, for each of the N rows
//
//	q = (√p∘e - p·<√p, e>)/√N,   p = softmax(z), e of random signs
//
// so that E qqᵀ is the Hessian of CategoricalKL(z, z') by z' at z' = z: 1/N times the
// Fisher matrices diag(p) - ppᵀ of the rows. The signs are a function of the seed and
// step of noise and of the element alone. No gradient goes through q.
func ProbeCategorical(z *gorgonia.Node, noise *Random) (*gorgonia.Node, error) {
	return newProbe("Categorical", noise, probeCategorical[float32], probeCategorical[float64], TokenSettings{}, z)
}

// ProbeBernoulli is ProbeCategorical for BernoulliKL, by element of z, with N the
// length of its first axis:
//
//	q = √(p(1-p))·e/√N,   p = 1/(1+e⁻ᶻ)
func ProbeBernoulli(z *gorgonia.Node, noise *Random) (*gorgonia.Node, error) {
	return newProbe("Bernoulli", noise, probeBernoulli[float32], probeBernoulli[float64], TokenSettings{}, z)
}

// ProbeSquared is ProbeCategorical for SquaredDivergence of outputs y:
//
//	q = e/√N
func ProbeSquared(y *gorgonia.Node, noise *Random) (*gorgonia.Node, error) {
	return newProbe("Squared", noise, func(_, _, _ []float32) {}, func(_, _, _ []float64) {}, TokenSettings{}, y)
}

func newProbe(label string, noise *Random, of32 func(q, y, free []float32), of64 func(q, y, free []float64), s TokenSettings, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	if noise == nil {
		return nil, errors.Errorf("apoops: probe%s: noise is nil", label)
	}
	return applyFloat(&probe[float32]{label: label, noise: noise, row: of32, TokenSettings: s}, &probe[float64]{label: label, noise: noise, row: of64, TokenSettings: s}, in...)
}

// probe is the kernel of the functions above.
type probe[T Float] struct {
	noGradient[T]
	TokenSettings // where there is an operand of tokens
	label         string
	noise         *Random
	row           func(q, y, free []T) // turns e/√N into q, for the outputs y of one row; free has room for two
	a             *args[T]
	key           uint64
	rows, counted int
	body          func(lo, hi int)
}

func (k *probe[T]) name() string { return "probe" + k.label }
func (k *probe[T]) clone() kernel[T] {
	return &probe[T]{label: k.label, noise: k.noise, row: k.row, TokenSettings: k.TokenSettings}
}

func (k *probe[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].Dims() == 0 {
		return nil, errors.New("the outputs are a scalar: their first axis has the examples")
	}
	if len(in) > 1 {
		return in[0].Clone(), checkTokenRows(in[0], in[1], "the outputs")
	}
	return in[0].Clone(), nil
}

func (k *probe[T]) run(a *args[T]) (err error) {
	if k.body == nil {
		k.body = k.draw
	}
	k.a, k.rows, k.key = a, a.shapes[0][0], k.noise.key(0)+uint64(k.noise.before(len(a.out)))*simd.Golden
	if k.counted = k.rows; a.ints != nil {
		if k.counted, err = k.number(a.ints); err != nil {
			return err
		}
	}
	par.For(k.rows, par.RowGrain(len(a.out)/k.rows), k.body)
	return nil
}

func (k *probe[T]) draw(lo, hi int) {
	cols := len(k.a.out) / k.rows
	size := T(1 / math.Sqrt(float64(k.counted)))
	free := scratch.Get[T](2 * cols)
	defer scratch.Put(free)
	for i := lo; i < hi; i++ {
		q := k.a.out[i*cols : (i+1)*cols]
		if k.a.ints != nil && !k.counts(k.a.ints[i]) {
			clear(q)
			continue
		}
		for j := range q {
			q[j] = size
		}
		// Half of all numbers are below 2⁶³: 2·size or 0, and then ±size.
		simd.DropOut(q, q, k.key+uint64(i*cols)*simd.Golden, 1<<63, 2)
		simd.Affine(q, q, size, 1, 0)
		k.row(q, k.a.in[0][i*cols:(i+1)*cols], free)
	}
}

// tiny is a number to add to a divisor that may be 0. It is a normal one of either type.
const tiny = 0x1p-126

func probeCategorical[T Float](q, z, free []T) {
	m := vmath.RowMax(z)
	if math.IsInf(m, -1) { // no class can be
		clear(q)
		return
	}
	var buf vmath.Block
	p, root := free[:len(z)], free[len(z):]
	sum := vmath.ExpRow(&buf, p, z, m)
	simd.Scale(p, T(1/sum))
	simd.DivideByRoots(root, p, p, 1, 1, tiny)
	simd.Scale(p, T(-simd.Dot(root, q)))
	simd.Normalise(q, q, root, p, 0, 1)
}

func probeBernoulli[T Float](q, z, _ []T) {
	var buf vmath.Block
	for len(z) > 0 {
		block := vmath.ExpMinusAbs(&buf, z) // √(p(1-p)) is even
		for j, small := range block {
			q[j] *= T(math.Sqrt(small) / (1 + small))
		}
		q, z = q[len(block):], z[len(block):]
	}
}
