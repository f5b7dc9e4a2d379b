package apoops

import (
	"math"
	"math/big"
)

// References of high precision for tests.

const bigPrec = 300

func bigOf(x float64) *big.Float        { return new(big.Float).SetPrec(bigPrec).SetFloat64(x) }
func bigAdd(a, b *big.Float) *big.Float { return bigOf(0).Add(a, b) }
func bigSub(a, b *big.Float) *big.Float { return bigOf(0).Sub(a, b) }
func bigMul(a, b *big.Float) *big.Float { return bigOf(0).Mul(a, b) }
func bigQuo(a, b *big.Float) *big.Float { return bigOf(0).Quo(a, b) }

// bigExp is the Taylor series at x/2²⁰, squared 20 times.
func bigExp(x *big.Float) *big.Float {
	x = bigOf(0).SetMantExp(x, -20)
	sum, term := bigOf(1), bigOf(1)
	for n := 1.0; n < 28; n++ {
		term = bigQuo(bigMul(term, x), bigOf(n))
		sum = bigAdd(sum, term)
	}
	for range 20 {
		sum = bigMul(sum, sum)
	}
	return sum
}

// bigLog solves e^y = x by Newton's method.
func bigLog(x *big.Float) *big.Float {
	m := new(big.Float)
	e := x.MantExp(m)
	f, _ := m.Float64()
	y := bigOf(math.Log(f) + float64(e)*math.Ln2)
	for range 3 {
		y = bigAdd(y, bigSub(bigQuo(x, bigExp(y)), bigOf(1)))
	}
	return y
}
