package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/apo-gorgonia/apo/apoops/internal/gemm"
)

// system opens the machine's BLAS, or skips the test where there is none.
func system(t testing.TB) foreign {
	for _, l := range libraries {
		if c, err := l.open(); err == nil {
			return c.impl.(foreign)
		}
	}
	t.Skip("no BLAS library on this machine: only gonum can be tested")
	return foreign{}
}

func random(rng *rand.Rand, n int) ([]float64, []float32) {
	a, b := make([]float64, n), make([]float32, n)
	for i := range a {
		b[i] = float32(rng.NormFloat64())
		a[i] = float64(b[i])
	}
	return a, b
}

func near(t *testing.T, what string, got32 []float32, got, want []float64) {
	t.Helper()
	for i := range want {
		scale := 1 + math.Abs(want[i])
		if math.Abs(got[i]-want[i]) > 1e-12*scale || math.Abs(float64(got32[i])-want[i]) > 1e-4*scale {
			t.Fatalf("%s: element %d is %v (float32 %v), want %v", what, i, got[i], got32[i], want[i])
		}
	}
}

func TestForeignEqualsGonum(t *testing.T) {
	f, ref := system(t), gonum.Implementation{}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		m, n, k := rng.IntN(9), rng.IntN(9), rng.IntN(9)
		pad := rng.IntN(3)
		for _, ta := range []gonumblas.Transpose{gonumblas.NoTrans, gonumblas.Trans} {
			for _, tb := range []gonumblas.Transpose{gonumblas.NoTrans, gonumblas.Trans} {
				lda, ldb, ldc := max(m, k, 1)+pad, max(n, k, 1)+pad, max(n, 1)+pad
				a, a32 := random(rng, max(m, k)*lda)
				b, b32 := random(rng, max(n, k)*ldb)
				c, c32 := random(rng, m*ldc)
				beta := float64(rng.IntN(3)) / 2
				want := append([]float64(nil), c...)
				ref.Dgemm(ta, tb, m, n, k, 0.5, a, lda, b, ldb, beta, want, ldc)
				f.Dgemm(ta, tb, m, n, k, 0.5, a, lda, b, ldb, beta, c, ldc)
				f.Sgemm(ta, tb, m, n, k, 0.5, a32, lda, b32, ldb, float32(beta), c32, ldc)
				near(t, "gemm", c32, c, want)
			}
			lda := max(n, 1) + pad
			incX, incY := 1+rng.IntN(2), 1+rng.IntN(2)
			a, a32 := random(rng, m*lda)
			x, x32 := random(rng, 20)
			y, y32 := random(rng, 20)
			want := append([]float64(nil), y...)
			ref.Dgemv(ta, m, n, 0.5, a, lda, x, incX, 2, want, incY)
			f.Dgemv(ta, m, n, 0.5, a, lda, x, incX, 2, y, incY)
			f.Sgemv(ta, m, n, 0.5, a32, lda, x32, incX, 2, y32, incY)
			near(t, "gemv", y32, y, want)
			want = append([]float64(nil), a...)
			ref.Dger(m, n, 0.5, x, incX, y, incY, want, lda)
			f.Dger(m, n, 0.5, x, incX, y, incY, a, lda)
			f.Sger(m, n, 0.5, x32, incX, y32, incY, a32, lda)
			near(t, "ger", a32, a, want)
		}
	}
}

// TestOwnEqualsGonum compares the module's own products with gonum's.
func TestOwnEqualsGonum(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range [][3]int{{1, 1, 1}, {7, 9, 5}, {100, 90, 80}, {300, 20, 100}, {17, 201, 90}, {1, 1000, 60}, {1000, 1, 60}} {
		for _, x := range operands(rng, s[0], s[1], s[2]) {
			want32, want := x.products(gonum.Implementation{})
			got32, got := x.products(own{})
			near(t, "gemm", got32, got, want)
			near(t, "gemm", want32, got, want)
		}
	}
}

// TestSerialGemm compares it with gonum's product and, where Gemm is the module's own,
// with Gemm's bits.
func TestSerialGemm(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	for _, s := range [][3]int{{130, 70, 300}, {300, 300, 800}} {
		testSerialGemm(t, rng, s[0], s[1], s[2])
	}
}

func testSerialGemm(t *testing.T, rng *rand.Rand, m, n, k int) {
	a, a32 := random(rng, m*k)
	b, b32 := random(rng, k*n)
	got, got32, want := make([]float64, m*n), make([]float32, m*n), make([]float64, m*n)
	SerialGemm(true, true, m, n, k, 1, a, m, b, k, 0, got, n)
	SerialGemm(true, true, m, n, k, 1, a32, m, b32, k, 0, got32, n)
	gonum.Implementation{}.Dgemm(gonumblas.Trans, gonumblas.Trans, m, n, k, 1, a, m, b, k, 0, want, n)
	near(t, "gemm", got32, got, want)
	f, foreign := selected().impl.(foreign)
	if _, ok := selected().impl.(own); ok || foreign && f.large && isLarge(m, n, k) {
		if Gemm(true, true, m, n, k, 1, a, m, b, k, 0, want, n); !slices.Equal(got, want) {
			t.Error("other bits than Gemm's")
		}
	}
}

// TestLargeProductsAreOwn compares the bits of products on both sides of the borders
// with those of the library and the module's own.
func TestLargeProductsAreOwn(t *testing.T) {
	library := system(t)
	mixed := choice{impl: library, library: "openblas (x)"}.withOwn()
	f, ok := mixed.impl.(foreign)
	if !ok || !f.large {
		t.Skip("the library computes large products on this processor")
	}
	if want := ", large products " + ownProducts(nil).library; mixed.large != want {
		t.Errorf("named %q, want %q", mixed.large, want)
	}
	rng := rand.New(rand.NewPCG(3, 6))
	for _, s := range []struct {
		m, n, k int
		large   bool
	}{
		{16, 16, 16, true}, {8, 16, 32, true}, {16, 8, 32, true}, {128, 128, 64, true}, {7, 128, 1200, false}, {128, 7, 1200, false}, {16, 16, 15, false}, {15, 16, 17, false},
	} {
		for _, x := range operands(rng, s.m, s.n, s.k) {
			var want implementation = library
			if s.large {
				want = own{}
			}
			want32, want64 := x.products(want)
			got32, got64 := x.products(f)
			if !slices.Equal(got32, want32) || !slices.Equal(got64, want64) {
				t.Errorf("%d×%d×%d %c%c: not the bits of the expected side", s.m, s.n, s.k, x.ta, x.tb)
			}
		}
	}
	for _, other := range []choice{{impl: library, library: "mkl (x)"}, gonumOnly(nil), ownProducts(nil)} {
		if got := other.withOwn(); got.large != "" {
			t.Errorf("%s has large products of %s", other.library, got.large)
		}
	}
}

// TestSplitProducts compares products that are cut into tiles with gonum's.
func TestSplitProducts(t *testing.T) {
	f, ref := system(t), gonum.Implementation{}
	if !f.split {
		t.Skip("this library works on all cores by itself")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range [][3]int{{100, 90, 80}, {300, 20, 100}, {17, 401, 90}, {1, 1000, 600}, {1000, 1, 600}} {
		for _, x := range operands(rng, s[0], s[1], s[2]) {
			want := append([]float64(nil), x.c...)
			ref.Dgemm(x.ta, x.tb, x.m, x.n, x.k, 0.1, x.a, x.lda, x.b, x.ldb, 0.5, want, x.ldc)
			got32, got := x.products(f)
			near(t, "gemm", got32, got, want)
		}
	}
}

// TestProductsDoNotDependOnCores compares the bits of products of many shapes on
// 1 to 4 cores.
func TestProductsDoNotDependOnCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	rng := rand.New(rand.NewPCG(9, 4))
	shapes := [][3]int{{1, 1, 1}, {1, 1, 1 << 20}, {170, 1, 3500}, {1, 170, 3500}, {85, 85, 100}, {50, 170, 210}, {211, 150, 50}}
	for range 8 {
		shapes = append(shapes, [3]int{1 + rng.IntN(200), 1 + rng.IntN(200), 1 + rng.IntN(200)})
	}
	libraries := map[string]implementation{"gonum": gonum.Implementation{}}
	if gemm.Fast() {
		libraries["apo"] = own{}
	}
	for _, large := range []bool{false, true} {
		if f, ok := selected().impl.(foreign); ok && f.split {
			f.large = large
			libraries[fmt.Sprintf("%s, large %t", selected().library, large)] = f
		}
	}
	for name, l := range libraries {
		shapes := shapes
		if name != "gonum" {
			shapes = append(shapes, [3]int{520, 530, 2000}) // rows and columns are cut
		}
		for _, s := range shapes {
			for _, x := range operands(rng, s[0], s[1], s[2]) {
				var want32 []float32
				var want []float64
				for cores := 1; cores <= 4; cores++ {
					runtime.GOMAXPROCS(cores)
					got32, got := x.products(l)
					if want == nil {
						want32, want = got32, got
					}
					if !slices.Equal(got32, want32) || !slices.Equal(got, want) {
						t.Fatalf("%s, %v, %c%c: other bits on %d cores than on one", name, s, x.ta, x.tb, cores)
					}
				}
			}
		}
	}
}

// operand is a product and its operands in both precisions.
type operand struct {
	ta, tb        gonumblas.Transpose
	m, n, k       int
	lda, ldb, ldc int
	a, b, c       []float64
	a32, b32, c32 []float32
}

// operands are random ones of m×k and k×n, transposed or not, whose slices end
// with the matrices.
func operands(rng *rand.Rand, m, n, k int) (all []operand) {
	for _, ta := range []gonumblas.Transpose{gonumblas.NoTrans, gonumblas.Trans} {
		for _, tb := range []gonumblas.Transpose{gonumblas.NoTrans, gonumblas.Trans} {
			x := operand{ta: ta, tb: tb, m: m, n: n, k: k, ldc: n + 3}
			stored := func(t gonumblas.Transpose, rows, cols int) (ld, length int) {
				if t != gonumblas.NoTrans {
					rows, cols = cols, rows
				}
				return cols + 2, (rows-1)*(cols+2) + cols
			}
			var length int
			x.lda, length = stored(ta, m, k)
			x.a, x.a32 = random(rng, length)
			x.ldb, length = stored(tb, k, n)
			x.b, x.b32 = random(rng, length)
			x.c, x.c32 = random(rng, (m-1)*x.ldc+n)
			all = append(all, x)
		}
	}
	return all
}

// products are C = 0.1·op(A)·op(B) + 0.5·C.
func (x operand) products(l implementation) ([]float32, []float64) {
	c32, c := append([]float32(nil), x.c32...), append([]float64(nil), x.c...)
	l.Sgemm(x.ta, x.tb, x.m, x.n, x.k, 0.1, x.a32, x.lda, x.b32, x.ldb, 0.5, c32, x.ldc)
	l.Dgemm(x.ta, x.tb, x.m, x.n, x.k, 0.1, x.a, x.lda, x.b, x.ldb, 0.5, c, x.ldc)
	return c32, c
}

// TestTilesCoverProducts looks for elements of C in no tile or in two.
func TestTilesCoverProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 4))
	for range 500 {
		m, n, k := 1+rng.IntN(2000), 1+rng.IntN(2000), 1+rng.IntN(5000)
		tile := cut(m, n, k)
		count := tile.count(m, n)
		if count > mostTiles || tile.rows < 1 || tile.cols < 1 {
			t.Fatalf("%d×%d×%d has %d tiles of %+v", m, n, k, count, tile)
		}
		area := 0
		for i := range count {
			row, col := tile.at(i, n)
			if row >= m || col >= n || row%tile.rows != 0 || col%tile.cols != 0 {
				t.Fatalf("%d×%d×%d: tile %d of %+v begins at (%d, %d)", m, n, k, i, tile, row, col)
			}
			area += min(tile.rows, m-row) * min(tile.cols, n-col)
		}
		if area != m*n {
			t.Fatalf("%d×%d×%d: the tiles of %+v have %d elements", m, n, k, tile, area)
		}
		if (tile.rows < m && tile.rows%rowUnit != 0) || (tile.cols < n && tile.cols%columnUnit != 0) {
			t.Fatalf("%d×%d×%d: a tile of %+v cuts through a kernel", m, n, k, tile)
		}
	}
}

func TestVectors(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 7, 1000} {
		x, x32 := random(rng, n)
		y, y32 := random(rng, n)
		var want float64
		sum := make([]float64, n)
		for i := range x {
			want += x[i] * y[i]
			sum[i] = y[i] + 0.5*x[i]
		}
		if d := math.Abs(Dot(x, y) - want); d > 1e-12 {
			t.Fatalf("Dot is off by %v", d)
		}
		if d := math.Abs(Dot(x32, y32) - want); d > 1e-12 {
			t.Fatalf("Dot of float32 is off by %v", d)
		}
		Axpy(0.5, x, y)
		Axpy(0.5, x32, y32)
		near(t, "axpy", y32, y, sum)
	}
}

// TestShortDotsDoNotDependOnAddresses moves vectors that the allocator does not
// align to 16 bytes.
func TestShortDotsDoNotDependOnAddresses(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 6))
	for range 200 {
		_, x := random(rng, 7)
		for n := 1; n <= len(x); n++ {
			want := Dot(x[:n], x[:n])
			buffer := make([]float32, 16)
			for at := range 4 {
				y := buffer[at : at+n]
				copy(y, x)
				if got := Dot(y, y); got != want {
					t.Fatalf("%d elements: %v, moved by %d elements %v", n, want, at, got)
				}
			}
		}
	}
}

func TestForeignRefusesShortSlices(t *testing.T) {
	f := system(t)
	defer func() {
		if recover() == nil {
			t.Fatal("a product beyond the end of a slice was computed")
		}
	}()
	f.Dgemm(gonumblas.NoTrans, gonumblas.NoTrans, 4, 4, 4, 1, make([]float64, 16), 4, make([]float64, 16), 4, 0, make([]float64, 15), 4)
}

func TestEnvironmentForcesLibrary(t *testing.T) {
	t.Setenv(Env, "gonum")
	if c := load(); c.library != "gonum" || c.err != nil {
		t.Fatalf("APO_BLAS=gonum gave %q, %v", c.library, c.err)
	}
	t.Setenv(Env, "apo")
	if c := load(); c.library != "apo ("+gemm.Instructions()+")" || c.err != nil {
		t.Fatalf("APO_BLAS=apo gave %q, %v", c.library, c.err)
	}
	t.Setenv(Env, "openblas")
	if c := load(); c.err == nil && c.large != "" {
		t.Fatalf("APO_BLAS=openblas has large products of %q", c.large)
	}
	for _, bad := range []string{"nosuchblas", "/nowhere/libnone.so"} {
		t.Setenv(Env, bad)
		if c := load(); c.library != noLibrary(nil).library || c.err == nil {
			t.Fatalf("APO_BLAS=%s gave %q, error %v", bad, c.library, c.err)
		}
	}
}

func TestGemmAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	f := system(t)
	a, b, c := make([]float32, 128*128), make([]float32, 128*128), make([]float32, 128*128)
	run := func() {
		f.Sgemm(gonumblas.NoTrans, gonumblas.Trans, 128, 128, 128, 1, a, 128, b, 128, 0, c, 128)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n > 0.5 {
		t.Fatalf("%v allocations a call", n)
	}
}

// BenchmarkGemm has the products of a dense layer, forward and back, of a factor
// and of a convolution.
func BenchmarkGemm(b *testing.B) {
	name, _ := Use()
	b.Log(name)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{100, 1000, 784}, {784, 1000, 100}, {1000, 1000, 1000}, {512, 512, 512}, {150, 16, 12800}, {128, 128, 128}} {
		b.Run(fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]), func(b *testing.B) {
			m, n, k := s[0], s[1], s[2]
			_, x := random(rng, m*k) // gonum skips zeros
			_, y := random(rng, k*n)
			z := make([]float32, m*n)
			for b.Loop() {
				Gemm(false, false, m, n, k, 1, x, k, y, n, 0, z, n)
			}
			b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
