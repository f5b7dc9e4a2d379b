package apoops

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// bigSoftmax returns the probabilities and their logarithms.
func bigSoftmax(z []float64) (p, logP []*big.Float) {
	sum := bigOf(0)
	for _, v := range z {
		sum = bigAdd(sum, bigExp(bigOf(v)))
	}
	logSum := bigLog(sum)
	for _, v := range z {
		l := bigSub(bigOf(v), logSum)
		p, logP = append(p, bigExp(l)), append(logP, l)
	}
	return p, logP
}

// bigKL is KL(p‖q) and its gradients q-p and p(ln p - ln q - KL) with respect
// to the logits of q and of p.
func bigKL(a, b []float64) (kl float64, dq, dp []float64) {
	p, logP := bigSoftmax(a)
	q, logQ := bigSoftmax(b)
	sum := bigOf(0)
	for j := range p {
		sum = bigAdd(sum, bigMul(p[j], bigSub(logP[j], logQ[j])))
	}
	kl, _ = sum.Float64()
	for j := range p {
		d, _ := bigSub(q[j], p[j]).Float64()
		e, _ := bigMul(p[j], bigSub(bigSub(logP[j], logQ[j]), sum)).Float64()
		dq, dp = append(dq, d), append(dp, e)
	}
	return kl, dq, dp
}

// TestDivergencesAreExact compares values and gradients with 300-bit
// arithmetic, from differences of 1e-9 up to some that make classes vanish. The
// float32 runs take inputs that float32 holds.
func TestDivergencesAreExact(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("computes with 300 bits")
	}
	rng := rand.New(rand.NewPCG(14, 1))
	for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		tol, scales := 1e-9, []float64{1e-9, 1e-8, 1e-6, 1e-4, 0.01, 0.1, 1, 5, 40, 800}
		if dt == tensor.Float32 {
			tol, scales = 3e-7, []float64{1e-5, 1e-3, 0.01, 0.1, 1, 5, 40, 800}
		}
		for _, scale := range scales {
			for _, spread := range []float64{0, 1, 30} {
				for _, cols := range []int{2, 5, 150} {
					if cols > 5 && spread != 1 {
						continue // the reference is slow
					}
					a, b := make([]float64, cols), make([]float64, cols)
					shift := 10 * rng.NormFloat64() // the same for all, so it must not matter
					if dt == tensor.Float64 && scale < 0.01 {
						shift = 0 // the sum would be rounded by as much as the difference shall be exact
					}
					for j := range a {
						a[j] = spread * rng.NormFloat64()
						b[j] = a[j] + scale*rng.NormFloat64() + shift
						if dt == tensor.Float32 {
							a[j], b[j] = float64(float32(a[j])), float64(float32(b[j]))
						}
					}
					checkCategorical(t, dt, a, b, tol)
					checkBernoulli(t, dt, a, b, tol)
				}
			}
		}
	}
}

func checkCategorical(t *testing.T, dt tensor.Dtype, a, b []float64, tol float64) {
	t.Helper()
	old, new := matrix(1, len(a), a...), matrix(1, len(b), b...)
	kl, dq, _ := bigKL(a, b)
	reverse, _, dp := bigKL(b, a)
	for _, c := range []struct {
		loss     pairLoss
		value    float64
		gradient []float64
	}{{lossNamed("categoricalKL"), kl, dq}, {lossNamed("categoricalReverseKL"), reverse, dp}} {
		y, d := opTest{name: c.loss.name, build: c.loss.node, wrt: []int{1}}.evaluate(t, []*tensor.Dense{old, new}, dt, nil, true)
		near(t, c.loss.name, y, []float64{c.value}, tol)
		near(t, c.loss.name+" gradient", d[0], c.gradient, tol)
	}
}

func checkBernoulli(t *testing.T, dt tensor.Dtype, a, b []float64, tol float64) {
	t.Helper()
	var kl, reverse float64
	var dq, dp []float64
	for j := range a {
		v, d, _ := bigKL([]float64{a[j], 0}, []float64{b[j], 0})
		kl, dq = kl+v, append(dq, d[0])
		v, _, d = bigKL([]float64{b[j], 0}, []float64{a[j], 0})
		reverse, dp = reverse+v, append(dp, d[0])
	}
	old, new := matrix(1, len(a), a...), matrix(1, len(b), b...)
	for _, c := range []struct {
		loss     pairLoss
		value    float64
		gradient []float64
	}{{lossNamed("bernoulliKL"), kl, dq}, {lossNamed("bernoulliReverseKL"), reverse, dp}} {
		y, d := opTest{name: c.loss.name, build: c.loss.node, wrt: []int{1}}.evaluate(t, []*tensor.Dense{old, new}, dt, nil, true)
		near(t, c.loss.name, y, []float64{c.value}, tol)
		near(t, c.loss.name+" gradient", d[0], c.gradient, tol)
	}
}

// near checks got against want to a relative error; of a vector, elements below
// 1e-4 of the largest are compared with that. What is below the smallest
// float32 may be lost.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	var largest float64
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	for j, w := range want {
		if !(math.Abs(got[j]-w) <= tol*max(math.Abs(w), 1e-4*largest)+1e-45) {
			t.Fatalf("%s: element %d is %v, want %v (relative error %.2g)", what, j, got[j], w, (got[j]-w)/w)
		}
	}
}

// TestDivergencesAreNotNegative looks at rows that differ by rounding alone.
func TestDivergencesAreNotNegative(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 2))
	var buf vmath.Block
	for range 20000 {
		a, b := make([]float64, 4), make([]float64, 4)
		for j := range a {
			a[j] = math.Exp(3*rng.NormFloat64()) * rng.NormFloat64()
			b[j] = a[j]
			if rng.IntN(2) == 0 {
				b[j] = math.Nextafter(a[j], float64(rng.IntN(2)))
			}
		}
		if kl := tiltOf(buf[:], a, b).kl; !(kl >= 0 && kl < 1e-20) {
			t.Fatalf("KL %v of %v and %v", kl, a, b)
		}
		if kl := binaryDivergence(a[0], b[0], math.Exp(-math.Abs(a[0]))); !(kl >= 0 && kl < 1e-20) {
			t.Fatalf("KL %v of %v and %v", kl, a[0], b[0])
		}
	}
}

// TestDivergencesOfSpecialRows gives huge and infinite logits.
func TestDivergencesOfSpecialRows(t *testing.T) {
	const free = 1e300 // a gradient that is not compared
	nan := math.NaN()
	log2 := math.Ln2
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, c := range []struct {
			loss     string
			old, new []float64
			want     float64
			gradient []float64
		}{
			{"categoricalKL", []float64{1e4, -1e4, 0}, []float64{1e4, -1e4, 0}, 0, []float64{0, 0, 0}},
			{"categoricalKL", []float64{1e4, -1e4, 0}, []float64{-1e4, 1e4, 0}, 2e4, []float64{-1, 1, 0}},
			{"categoricalKL", []float64{-1e4, -1e4, -1e4}, []float64{1e4, 1e4, 1e4}, 0, []float64{0, 0, 0}},
			{"categoricalKL", []float64{-inf, 0, 0}, []float64{-inf, 7, 7}, 0, []float64{0, 0, 0}},
			{"categoricalKL", []float64{-inf, 0, 0}, []float64{0, 0, 0}, math.Log(1.5), []float64{1. / 3, -1. / 6, -1. / 6}},
			{"categoricalKL", []float64{0, 0, 0}, []float64{-inf, 0, 0}, inf, []float64{-1. / 3, 1. / 6, 1. / 6}},
			{"categoricalKL", []float64{0, 0, 0}, []float64{-inf, -inf, -inf}, inf, []float64{-1. / 3, -1. / 3, -1. / 3}},
			{"categoricalKL", []float64{-inf, -inf, -inf}, []float64{-inf, -inf, -inf}, 0, []float64{0, 0, 0}},
			{"categoricalKL", []float64{-inf, -inf, -inf}, []float64{1, 2, 3}, 0, []float64{0, 0, 0}},
			{"categoricalKL", []float64{nan, 0, 0}, []float64{0, 0, 0}, nan, []float64{nan, nan, nan}},
			{"categoricalKL", []float64{0, 0, 0}, []float64{0, nan, 0}, nan, []float64{nan, nan, nan}},
			{"categoricalKL", []float64{-inf, 0, 0}, []float64{nan, 0, 0}, nan, []float64{nan, nan, nan}},
			{"categoricalReverseKL", []float64{1e4, -1e4, 0}, []float64{-1e4, 1e4, 0}, 2e4, []float64{0, 0, 0}},
			{"categoricalReverseKL", []float64{0, 0, 0}, []float64{-inf, 0, 0}, math.Log(1.5), []float64{0, 0, 0}},
			{"categoricalReverseKL", []float64{-inf, 0, 0}, []float64{0, 0, 0}, inf, []float64{free, free, free}},
			{"categoricalReverseKL", []float64{-inf, -inf, -inf}, []float64{-inf, -inf, -inf}, 0, []float64{0, 0, 0}},
			{"categoricalReverseKL", []float64{0, nan, 0}, []float64{0, 0, 0}, nan, []float64{nan, nan, nan}},
			{"bernoulliKL", []float64{1e4, -1e4, -inf}, []float64{1e4, -1e4, -inf}, 0, []float64{0, 0, 0}},
			{"bernoulliKL", []float64{1e4, inf, 0}, []float64{-1e4, inf, 0}, 1e4, []float64{-1, 0, 0}},
			{"bernoulliKL", []float64{-inf, inf, 0}, []float64{0, 0, 0}, 2 * log2, []float64{0.5, -0.5, 0}},
			{"bernoulliKL", []float64{0, 0, 0}, []float64{-inf, 0, 0}, inf, []float64{-0.5, 0, 0}},
			{"bernoulliKL", []float64{0, 0, 0}, []float64{inf, 0, 0}, inf, []float64{0.5, 0, 0}},
			{"bernoulliKL", []float64{nan, 0, 0}, []float64{0, 0, 0}, nan, []float64{nan, 0, 0}},
			{"bernoulliKL", []float64{0, 0, 0}, []float64{nan, 0, 0}, nan, []float64{nan, 0, 0}},
			{"bernoulliReverseKL", []float64{0, 0, 0}, []float64{-inf, inf, 0}, 2 * log2, []float64{0, 0, 0}},
			{"bernoulliReverseKL", []float64{-inf, 0, 0}, []float64{0, 0, 0}, inf, []float64{inf, 0, 0}},
		} {
			l := lossNamed(c.loss)
			y, d := opTest{name: l.name, build: l.node, wrt: []int{1}}.evaluate(t, []*tensor.Dense{matrix(1, 3, c.old...), matrix(1, 3, c.new...)}, dt, nil, true)
			what := l.name + " " + dt.String()
			for j, w := range c.gradient {
				if w == free {
					continue
				}
				compare(t, what+" gradient", d[0][j:j+1], []float64{w}, 1e-6)
			}
			compare(t, what, y, []float64{c.want}, 1e-6)
		}
	}
}
