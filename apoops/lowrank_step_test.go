package apoops

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/lowrank"
)

// lowRankGraph is LowRankStep with the arrays that it reads.
type lowRankGraph struct {
	in   map[string]*tensor.Dense // x, z, phiB, phiA, moments, averageB, averageA, hyper
	next LowRankNext
	g    *gorgonia.ExprGraph
	vm   gorgonia.VM
}

func openLowRank(t *testing.T, dt tensor.Dtype, n, in, out, rank int) *lowRankGraph {
	t.Helper()
	b, a := lowrank.Side{Size: in, Rank: rank}, lowrank.Side{Size: out, Rank: rank}
	l := &lowRankGraph{in: make(map[string]*tensor.Dense), g: gorgonia.NewGraph()}
	node := func(name string, shape ...int) *gorgonia.Node {
		l.in[name] = tensor.New(tensor.WithShape(shape...), tensor.Of(dt))
		return gorgonia.NewTensor(l.g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name), gorgonia.WithValue(l.in[name]))
	}
	var err error
	l.next, err = LowRankStep(LowRank{
		X: node("x", n, in), Z: node("z", n, out), PhiB: node("phiB", b.Len()), PhiA: node("phiA", a.Len()),
		Moments: node("moments", 2), AverageB: node("averageB", b.AverageLen()), AverageA: node("averageA", a.AverageLen()),
		Hyper: node("hyper", 3), Rank: rank,
	})
	if err != nil {
		t.Fatal(err)
	}
	l.vm = gorgonia.NewTapeMachine(l.g)
	return l
}

// fill writes numbers to an array.
func (l *lowRankGraph) fill(name string, x ...float64) {
	if d := l.in[name]; d.Dtype() == tensor.Float64 {
		copy(d.Float64s(), x)
	} else {
		for i, v := range x {
			d.Float32s()[i] = float32(v)
		}
	}
}

func (l *lowRankGraph) run(t *testing.T) {
	t.Helper()
	l.vm.Reset()
	if err := l.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
}

// accept copies the results over what they come from.
func (l *lowRankGraph) accept() {
	next := l.next
	for name, n := range map[string]*gorgonia.Node{"phiB": next.PhiB, "phiA": next.PhiA, "moments": next.Moments, "averageB": next.AverageB, "averageA": next.AverageA} {
		l.fill(name, floats(n.Value())...)
	}
}

// lowRankCases are runs of an independent implementation of the equations in NumPy and
// float64, with decompositions and the same estimate of the norm: five steps from Start to End with three sets of rows in
// turn, and U = P_B·G·P_A of the end.
type lowRankCases struct {
	Cases []struct {
		Inputs, Outputs, Rank      int
		Damping, Decay, Oja        float64
		X, Z, Start, End, Averages [][]float64
		Moments, Gradient, Product []float64
	}
}

// TestLowRankStepEqualsReference has sides of low rank and dense ones, and steps that the
// largest eigenvalue limits.
func TestLowRankStepEqualsReference(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "low_rank.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all lowRankCases
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Cases {
		for dt, tol := range map[tensor.Dtype]float64{tensor.Float64: 2e-9, tensor.Float32: 2e-4} {
			l := openLowRank(t, dt, len(c.X[0])/c.Inputs, c.Inputs, c.Outputs, c.Rank)
			l.fill("phiB", c.Start[0]...)
			l.fill("phiA", c.Start[1]...)
			l.fill("hyper", c.Damping, c.Decay, c.Oja)
			for i := range 5 {
				l.fill("x", c.X[i%3]...)
				l.fill("z", c.Z[i%3]...)
				if i == 0 {
					l.run(t) // without effect
				}
				l.run(t)
				l.accept()
			}
			for i, name := range []string{"phiB", "phiA"} {
				compare(t, name, floats(l.in[name]), c.End[i], tol)
			}
			for i, name := range []string{"averageB", "averageA"} {
				compare(t, name, floats(l.in[name]), c.Averages[i], tol)
			}
			compare(t, "moments", floats(l.in["moments"]), c.Moments, tol)
			if dt != tensor.Float64 {
				continue
			}
			b := lowrank.View(lowrank.Side{Size: c.Inputs, Rank: c.Rank}, c.End[0])
			a := lowrank.View(lowrank.Side{Size: c.Outputs, Rank: c.Rank}, c.End[1])
			u := make([]float64, len(c.Gradient))
			new(lowrank.Multiplier[float64]).Gradient(u, c.Gradient, b, a)
			compare(t, "P·G", u, c.Product, 2e-9)
		}
	}
}

// damped is F̃ of rows: the mean of (xxᵀ + r_a·I)⊗(zzᵀ + r_s·I).
func damped(n, in, out int, x, z []float64, ra, rs float64) *mat.Dense {
	h := mat.NewDense(in*out, in*out, nil)
	for k := range n {
		side := func(x []float64, r float64) *mat.Dense {
			m := len(x)
			s := mat.NewDense(m, m, nil)
			s.Outer(1/math.Sqrt(float64(n)), mat.NewVecDense(m, x), mat.NewVecDense(m, x))
			for i := range m {
				s.Set(i, i, s.At(i, i)+r/math.Sqrt(float64(n)))
			}
			return s
		}
		var both mat.Dense
		both.Kronecker(side(x[k*in:(k+1)*in], ra), side(z[k*out:(k+1)*out], rs))
		h.Add(h, &both)
	}
	return h
}

// probed is Theorem 1's approximated objective -gᵀPg + ½(Pg)ᵀH(Pg) with P = KKᵀ, added up
// over the probes g = K₀⁻ᵀe that P₀ whitens, for all unit vectors e.
func probed(k, k0, h *mat.Dense) float64 {
	var p, g, u, hu mat.Dense
	p.Mul(k, k.T())
	if err := g.Inverse(k0.T()); err != nil {
		panic(err)
	}
	u.Mul(&p, &g)
	hu.Mul(h, &u)
	n, _ := g.Dims()
	var q float64
	for j := range n {
		q += -mat.Dot(g.ColView(j), u.ColView(j)) + mat.Dot(u.ColView(j), hu.ColView(j))/2
	}
	return q
}

// TestLowRankStepMinimises takes steps on one set of rows, whose x and z are not
// independent: they end where the relative gradient of the approximated proximal objective
// for probes that P whitens is 0, by central differences.
func TestLowRankStepMinimises(t *testing.T) {
	const n, in, out, d = 12, 4, 3, 0.1
	rng := rand.New(rand.NewPCG(4, 4))
	l := openLowRank(t, tensor.Float64, n, in, out, 4)
	x, z := randn(rng, n, in).Float64s(), randn(rng, n, out).Float64s()
	for i := range n {
		for j := range out {
			z[i*out+j] *= 1 + x[i*in]*x[i*in]
		}
	}
	l.fill("x", x...)
	l.fill("z", z...)
	l.fill("phiB", scaledEye(in, 0.3)...)
	l.fill("phiA", scaledEye(out, 1)...)
	l.fill("hyper", d, 0.5, 0.5)
	gradients := func() (b, a float64) {
		moments := floats(l.next.Moments.Value())
		pi := math.Sqrt(moments[0] / moments[1])
		h := damped(n, in, out, x, z, pi*math.Sqrt(d), math.Sqrt(d)/pi)
		fb, fa := choleskyFactor(in, floats(l.in["phiB"])), choleskyFactor(out, floats(l.in["phiA"]))
		var k0 mat.Dense
		k0.Kronecker(fb, fa)
		return relativeGradient(fb, func(f *mat.Dense) float64 { var k mat.Dense; k.Kronecker(f, fa); return probed(&k, &k0, h) }),
			relativeGradient(fa, func(f *mat.Dense) float64 { var k mat.Dense; k.Kronecker(fb, f); return probed(&k, &k0, h) })
	}
	l.run(t)
	b, a := gradients()
	if !(b > 1 && a > 1) {
		t.Fatalf("the gradients at the start are %v and %v", b, a)
	}
	for range 200 {
		l.accept()
		l.run(t)
	}
	if b, a := gradients(); !(b < 1e-5 && a < 1e-5) {
		t.Errorf("the gradients at the end are %v and %v", b, a)
	}
	if tr := mat.Trace(mat.NewDense(out, out, floats(l.next.PhiA.Value()))); math.Abs(tr-out) > 1e-12 {
		t.Errorf("the trace of P_A is %v, not %d", tr, out)
	}
}

func scaledEye(n int, by float64) []float64 {
	x := make([]float64, n*n)
	for i := range n {
		x[i*n+i] = by
	}
	return x
}

// choleskyFactor is an F with P = FFᵀ.
func choleskyFactor(n int, p []float64) *mat.Dense {
	var c mat.Cholesky
	if !c.Factorize(mat.NewSymDense(n, p)) {
		panic("P is not positive")
	}
	var l mat.TriDense
	c.LTo(&l)
	return mat.DenseCopyOf(&l)
}

// relativeGradient is the norm of the gradient by Y of an objective at F(I + Y).
func relativeGradient(f *mat.Dense, objective func(f *mat.Dense) float64) (norm float64) {
	m, _ := f.Dims()
	for i := range m {
		for j := range m {
			at := func(by float64) float64 {
				y := mat.NewDense(m, m, nil)
				y.Set(i, j, by)
				var moved mat.Dense
				moved.Mul(f, y)
				moved.Add(&moved, f)
				return objective(&moved)
			}
			const step = 1e-5
			norm = math.Hypot(norm, (at(step)-at(-step))/(2*step))
		}
	}
	return norm
}

// TestLowRankMeasures compares them with their definitions.
func TestLowRankMeasures(t *testing.T) {
	const n, in, out, rank = 6, 9, 3, 2
	rng := rand.New(rand.NewPCG(5, 4))
	for dt, tol := range map[tensor.Dtype]float64{tensor.Float64: 1e-12, tensor.Float32: 1e-5} {
		l := openLowRank(t, dt, n, in, out, rank)
		side := lowrank.Side{Size: in, Rank: rank}
		phi := make([]float64, side.Len())
		pb := lowrank.View(side, phi)
		lowrank.Orthonormal(pb.V, side, 1)
		pb.SetIdentity(2)
		x, z := randn(rng, n, in).Float64s(), randn(rng, n, out).Float64s()
		l.fill("x", x...)
		l.fill("z", z...)
		l.fill("phiB", phi...)
		l.fill("phiA", 3, 0, 0, 0, 3, 0, 0, 0, 3)
		l.fill("hyper", 0.1, 0.9, 0.5)
		l.run(t)
		m, err := ReadLowRankMeasures(l.next.Measures.Value())
		if err != nil {
			t.Fatal(err)
		}
		var energy float64
		for k := range n {
			var xx, zz float64
			for _, v := range x[k*in : (k+1)*in] {
				xx += v * v
			}
			for _, v := range z[k*out : (k+1)*out] {
				zz += v * v
			}
			energy += xx * zz / n / in / out
		}
		got := []float64{m.Discrepancy, m.TraceB, m.TraceA, m.ShareA, floats(l.next.Energy.Value())[0]}
		compare(t, "measures", got, []float64{3 * energy, 2 * in, 9, 1, energy}, tol)
		if !(m.ShareB > 0.1 && m.ShareB < 1) {
			t.Errorf("the subspace's share is %v", m.ShareB)
		}
	}
	if _, err := ReadLowRankMeasures(gorgonia.NewF64(1)); err == nil {
		t.Error("a scalar was read as measures")
	}
}

func TestLowRankOpsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	if name, err := blas.Use(); err != nil || name == "gonum" {
		t.Skip("gonum's products start goroutines, and so allocate: ", err)
	}
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, rank := range []int{2, 40} {
			l := openLowRank(t, dt, 20, 70, 5, rank)
			if n := checkAllocations(t, l.g, dt); n < 9 {
				t.Fatalf("only %d ops were run", n)
			}
		}
	}
}

// TestLowRankStepOfNothing: rows of zeros, as of a dead layer, and rows that are not
// finite do not panic, and the first leave P positive and finite.
func TestLowRankStepOfNothing(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for name, fill := range map[string][2]float64{"zeros": {0, 0}, "no gradient": {1, 0}, "NaN": {math.NaN(), 1}, "infinite": {1, math.Inf(1)}} {
			const n, in, out, rank = 4, 40, 3, 2
			l := openLowRank(t, dt, n, in, out, rank)
			side := lowrank.Side{Size: in, Rank: rank}
			phi := make([]float64, side.Len())
			pb := lowrank.View(side, phi)
			lowrank.Orthonormal(pb.V, side, 1)
			pb.SetIdentity(2)
			l.fill("phiB", phi...)
			l.fill("phiA", 1, 0, 0, 0, 1, 0, 0, 0, 1)
			l.fill("hyper", 1e-3, 0.9, 0.5)
			for i, array := range []string{"x", "z"} {
				for j := range l.in[array].DataSize() {
					values := floats(l.in[array])
					values[j] = fill[i]
					l.fill(array, values...)
				}
			}
			before := floats(l.in["phiB"])
			finite := fill[0]-fill[0] == 0 && fill[1]-fill[1] == 0
			for range 3 {
				l.run(t)
				if !finite {
					compare(t, name, floats(l.in["phiB"]), before, 0)
					continue
				}
				l.accept()
				for _, array := range []string{"phiB", "phiA"} {
					for i, v := range floats(l.in[array]) {
						if math.IsNaN(v) || math.IsInf(v, 0) {
							t.Fatalf("%v, %s: element %d of %s is %v", dt, name, i, array, v)
						}
					}
				}
			}
		}
	}
}

func TestLowRankStepRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(name string, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	}
	right := LowRank{X: node("x", 5, 4), Z: node("z", 5, 3), PhiB: node("b", 16), PhiA: node("a", 9), Moments: node("m", 2), AverageB: node("averageB", 17), AverageA: node("averageA", 10), Hyper: node("h", 3), Rank: 2}
	if _, err := LowRankStep(right); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(in *LowRank){
		"nil":     func(in *LowRank) { in.Moments = nil },
		"rows":    func(in *LowRank) { in.Z = node("z6", 6, 3) },
		"rank":    func(in *LowRank) { in.Rank = 0 },
		"φ":       func(in *LowRank) { in.PhiB = node("b15", 15) },
		"average": func(in *LowRank) { in.AverageA = node("a9", 9) },
		"moments": func(in *LowRank) { in.Moments = node("m3", 3) },
		"numbers": func(in *LowRank) { in.Hyper = node("h2", 2) },
	} {
		in := right
		change(&in)
		if _, err := LowRankStep(in); err == nil || !strings.Contains(err.Error(), "lowRankStep") {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
}
