package gemm

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// operands are those of one product, with canaries between the rows.
type operands[T Float] struct {
	transA, transB bool
	m, n, k        int
	alpha, beta    T
	a, b, c        []T
	lda, ldb, ldc  int
}

// memory makes n elements that begin offset elements after a boundary.
type memory[T Float] func(n int) []T

func heap[T Float](n int) []T { return make([]T, n) }

const canary = 1234.5

// random are operands of a shape; rare allows special numbers.
func random[T Float](r *rand.Rand, transA, transB bool, m, n, k, pad int, rare bool, get memory[T]) *operands[T] {
	x := &operands[T]{transA: transA, transB: transB, m: m, n: n, k: k}
	fill := func(trans bool, rows, cols int) ([]T, int) {
		if trans {
			rows, cols = cols, rows
		}
		ld := max(cols, 1) + pad
		if rows == 0 || cols == 0 {
			return nil, ld
		}
		v := get((rows-1)*ld + cols)
		for i := range v {
			v[i] = canary
			if i%ld < cols {
				v[i] = number[T](r, rare)
			}
		}
		return v, ld
	}
	x.a, x.lda = fill(transA, m, k)
	x.b, x.ldb = fill(transB, k, n)
	x.c, x.ldc = fill(false, m, n)
	x.alpha, x.beta = T([]float64{1, 1, -0.7}[r.IntN(3)]), T([]float64{0, 1, 0.3}[r.IntN(3)])
	return x
}

var special = []float64{0, math.Copysign(0, -1), 1e-45, -1e-39, 1e-38, -1e-310, 5e-324, 1e20, -1e30, 1e300, math.Inf(1), math.Inf(-1), math.NaN()}

func number[T Float](r *rand.Rand, rare bool) T {
	if rare && r.IntN(50) == 0 {
		return T(special[r.IntN(len(special))])
	}
	return T(r.NormFloat64() * math.Exp(2*r.NormFloat64()))
}

func (x *operands[T]) at(i, s, j int) (a, b T) {
	a, b = 0, 0
	if x.transA {
		a = x.a[s*x.lda+i]
	} else {
		a = x.a[i*x.lda+s]
	}
	if x.transB {
		b = x.b[j*x.ldb+s]
	} else {
		b = x.b[s*x.ldb+j]
	}
	return a, b
}

// want is C by the definition of the order of operations, one element after the other.
func (x *operands[T]) want() []T {
	c := append([]T(nil), x.c...)
	step := newPlan(1, 1, sizeOf[T](), 1, false, false, max(x.m, 1), max(x.n, 1), max(x.k, 1)).step
	for i := range x.m {
		for j := range x.n {
			y := &c[i*x.ldc+j]
			if x.k == 0 || x.alpha == 0 {
				*y = map[bool]T{true: 0, false: *y * x.beta}[x.beta == 0]
				continue
			}
			beta := x.beta
			for first := 0; first < x.k; first += step {
				var sum T
				for s := first; s < min(first+step, x.k); s++ {
					a, b := x.at(i, s, j)
					sum = multiplyAdd(a, b, sum)
				}
				if sum = times(sum, x.alpha); beta != 0 {
					sum = multiplyAdd(beta, *y, sum)
				}
				*y, beta = sum, 1
			}
		}
	}
	return c
}

// got is C by f.
func (x *operands[T]) got(get memory[T], serial bool) []T {
	c := get(len(x.c))
	copy(c, x.c)
	f := Multiply[T]
	if serial {
		f = Serial[T]
	}
	f(x.transA, x.transB, x.m, x.n, x.k, x.alpha, x.a, x.lda, x.b, x.ldb, x.beta, c, x.ldc)
	return c
}

// slow reports whether Go's kernel is the only one, or the race detector is there.
func slow() bool { return !Fast() || raceEnabled }

// same reports the first place where bits differ, those of NaNs alike, or -1.
func same[T Float](x, y []T) int {
	for i := range x {
		if (x[i] == x[i] || y[i] == y[i]) && math.Float64bits(float64(x[i])) != math.Float64bits(float64(y[i])) {
			return i
		}
	}
	return -1
}

// compare compares a product at all levels with its definition, bit for bit.
func compare[T Float](t *testing.T, r *rand.Rand, m, n, k, pad int, rare bool, get memory[T]) {
	t.Helper()
	for trans := range 4 {
		x := random(r, trans&1 == 1, trans&2 == 2, m, n, k, pad, rare, get)
		want := x.want()
		for _, l := range simd.Levels() {
			func() {
				defer simd.Set(simd.Set(l))
				got := x.got(get, trans == 3)
				if i := same(got, want); i >= 0 {
					t.Fatalf("%T, %v: %d×%d×%d, transposed %v, %v, α %v, β %v: (%d, %d) is %v, want %v", T(0), l, m, n, k, x.transA, x.transB, x.alpha, x.beta, i/x.ldc, i%x.ldc, got[i], want[i])
				}
			}()
		}
	}
}

// TestBits compares products of all kinds with their definition, bit for bit.
func TestBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{1, 2, 3, 5, 7, 8, 13, 14, 15, 16, 17, 28, 31, 32, 33, 40, 48, 64, 65}
	pick := func() int { return sizes[r.IntN(len(sizes))] }
	rounds := 80
	if slow() {
		rounds = 20
	}
	for i := range rounds {
		m, n, k := pick(), pick(), pick()
		compare(t, r, m, n, k, i%4, i%2 == 1, heap[float32])
		compare(t, r, m, n, k, i%4, i%2 == 1, heap[float64])
	}
	for _, s := range [][3]int{{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {1, 1, 1000}, {3, 2, 1037}, {30, 70, 520}, {130, 40, 600}, {500, 3, 3}, {20, 70, 1024}} {
		compare(t, r, s[0], s[1], s[2], 1, false, heap[float32])
		compare(t, r, s[0], s[1], s[2], 1, true, heap[float64])
	}
}

// TestAccuracy compares larger products with sums in float64 where these are better,
// by the bound k·ε·Σ|a·b| of an inner product.
func TestAccuracy(t *testing.T) {
	shapes := [][3]int{{100, 90, 80}, {300, 20, 700}, {17, 401, 90}, {1, 700, 300}, {700, 1, 300}, {450, 130, 513}}
	if slow() {
		shapes = shapes[:1]
	}
	for _, s := range shapes {
		accuracy[float32](t, s[0], s[1], s[2], 1.2e-7)
		accuracy[float64](t, s[0], s[1], s[2], 2.3e-16)
	}
}

func accuracy[T Float](t *testing.T, m, n, k int, epsilon float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	for trans := range 4 {
		x := random(r, trans&1 == 1, trans&2 == 2, m, n, k, 3, false, heap[T])
		got := x.got(heap[T], false)
		for i := range m {
			for j := range n {
				var sum, size float64
				for s := range k {
					a, b := x.at(i, s, j)
					sum += float64(a) * float64(b)
					size += math.Abs(float64(a) * float64(b))
				}
				at := i*x.ldc + j
				want := float64(x.alpha)*sum + float64(x.beta)*float64(x.c[at])
				size += math.Abs(float64(x.c[at]))
				if d := math.Abs(float64(got[at]) - want); d > float64(k+2)*epsilon*size {
					t.Fatalf("%d×%d×%d: (%d, %d) is %v, want %v", m, n, k, i, j, got[at], want)
				}
			}
		}
		for i, v := range got {
			if i%x.ldc >= n && v != canary {
				t.Fatalf("%d×%d×%d: what lies between rows of C is written to", m, n, k)
			}
		}
	}
}

// TestCores compares the bits of products on 1, 2 and 5 cores, and on one goroutine.
func TestCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(9, 4))
	shapes := [][3]int{{500, 300, 600}, {20, 1000, 500}, {3000, 10, 100}, {33, 47, 5000}, {900, 1, 900}, {1, 900, 900}, {130, 130, 130}}
	if slow() {
		shapes = [][3]int{{70, 70, 60}, {600, 5, 100}, {9, 15, 2000}} // coresFrom and more
	}
	for _, s := range shapes {
		for trans := range 4 {
			x := random(r, trans&1 == 1, trans&2 == 2, s[0], s[1], s[2], 1, false, heap[float32])
			want := x.got(heap[float32], true)
			for _, cores := range []int{1, 2, 5} {
				runtime.GOMAXPROCS(cores)
				if i := same(x.got(heap[float32], false), want); i >= 0 {
					t.Fatalf("%v on %d cores: element %d has other bits", s, cores, i)
				}
			}
		}
	}
}

// TestUnread gives NaNs where BLAS does not read.
func TestUnread(t *testing.T) {
	nan := math.NaN()
	for _, l := range simd.Levels() {
		func() {
			defer simd.Set(simd.Set(l))
			a, b, c := []float64{1, 2, 3, 4}, []float64{1, 0, 0, 1}, []float64{nan, nan, nan, nan}
			Multiply(false, false, 2, 2, 2, 1, a, 2, b, 2, 0, c, 2)
			if fmt.Sprint(c) != "[1 2 3 4]" {
				t.Errorf("%v: β = 0 gives %v", l, c)
			}
			a[1], b[2] = nan, nan
			Multiply(false, false, 2, 2, 2, 0, a, 2, b, 2, 2, c, 2)
			if fmt.Sprint(c) != "[2 4 6 8]" {
				t.Errorf("%v: α = 0 gives %v", l, c)
			}
			Multiply(false, false, 2, 2, 0, 1, nil, 1, nil, 2, 0, c, 2)
			if fmt.Sprint(c) != "[0 0 0 0]" {
				t.Errorf("%v: k = 0 gives %v", l, c)
			}
		}()
	}
}

func TestShortSlices(t *testing.T) {
	x := make([]float32, 16)
	for i, f := range []func(){
		func() { Multiply(false, false, 4, 4, 4, 1, x[:15], 4, x, 4, 0, x, 4) },
		func() { Multiply(false, false, 4, 4, 4, 1, x, 4, x[:15], 4, 0, x, 4) },
		func() { Multiply(false, false, 4, 4, 4, 1, x, 4, x, 4, 0, x[:15], 4) },
		func() { Multiply(false, false, 4, 4, 4, 1, x, 3, x, 4, 0, x, 4) },
		func() { Multiply(true, false, 4, 2, 4, 1, x, 3, x, 4, 0, x, 4) },
		func() { Multiply(false, false, -1, 4, 4, 1, x, 4, x, 4, 0, x, 4) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("call %d: a matrix that does not fit its slice was taken", i)
				}
			}()
			f()
		}()
	}
}

// FuzzBits is TestBits for any shape.
func FuzzBits(f *testing.F) {
	f.Add(uint64(1), uint16(20), uint16(40), uint16(50), uint8(3))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, offset uint8) {
		r := rand.New(rand.NewPCG(seed, 7))
		rows, cols, steps, at := int(m%17), int(n%36), int(k%12), int(offset%16)
		if seed%256 < 2 { // blocks of steps, which take long by the definition
			steps = int(k % 700)
		}
		if seed%2 == 0 {
			compare(t, r, rows, cols, steps, at%3, seed%4 == 0, func(n int) []float32 { return make([]float32, n+at)[at:] })
		} else {
			compare(t, r, rows, cols, steps, at%3, seed%4 == 1, func(n int) []float64 { return make([]float64, n+at)[at:] })
		}
	})
}

// TestFMA compares fma with the sum of large numbers.
func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 50000 {
		x, y := float32(math.Ldexp(r.Float64()-0.5, r.IntN(60)-30)), float32(math.Ldexp(r.Float64()-0.5, r.IntN(60)-30))
		z := float32(math.Ldexp(r.Float64()-0.5, r.IntN(120)-60))
		if r.IntN(3) == 0 { // a tie but for the product
			z = float32(math.Ldexp(1+float64(r.IntN(9))/4, 20))
			x, y = float32(math.Ldexp(float64(1+r.IntN(3)), r.IntN(30)-40)), float32(r.IntN(5)-2)
		}
		exact := new(big.Float).SetPrec(500).Mul(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
		exact.Add(exact, big.NewFloat(float64(z)))
		want, _ := exact.Float32()
		if got := fma(x, y, z); got != want {
			t.Fatalf("%v·%v + %v is %v, want %v", x, y, z, got, want)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	x := random(rand.New(rand.NewPCG(1, 1)), false, true, 64, 64, 70, 0, false, heap[float32])
	run := func() { Multiply(false, true, 64, 64, 70, 1, x.a, x.lda, x.b, x.ldb, 0, x.c, x.ldc) }
	run()
	if n := testing.AllocsPerRun(100, run); n > 0.5 {
		t.Errorf("%v allocations a call", n)
	}
}

// TestKernelReadsItsCall compares the fields with what the assembly takes them to be.
func TestKernelReadsItsCall(t *testing.T) {
	var c call[float32]
	var r rowsOf[float64]
	for i, at := range [][2]uintptr{
		{unsafe.Offsetof(c.k), 0}, {unsafe.Offsetof(c.a), 8}, {unsafe.Offsetof(c.aRow), 32}, {unsafe.Offsetof(c.aStep), 40},
		{unsafe.Offsetof(c.b), 48}, {unsafe.Offsetof(c.bStep), 72}, {unsafe.Offsetof(c.c), 80}, {unsafe.Offsetof(c.cRow), 104},
		{unsafe.Offsetof(c.rows), 112}, {unsafe.Offsetof(c.cols), 120}, {unsafe.Offsetof(c.alpha), 128}, {unsafe.Offsetof(c.beta), 132},
		{unsafe.Offsetof(r.dst), 0}, {unsafe.Offsetof(r.dstRow), 24}, {unsafe.Offsetof(r.src), 32}, {unsafe.Offsetof(r.srcRow), 56},
		{unsafe.Offsetof(r.rows), 64}, {unsafe.Offsetof(r.cols), 72},
	} {
		if unsafe.Sizeof(uintptr(0)) == 8 && at[0] != at[1] {
			t.Errorf("field %d begins at byte %d, not %d", i, at[0], at[1])
		}
	}
}
