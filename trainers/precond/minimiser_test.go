package precond_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// resting is a configuration whose weights hardly move while P learns from all of B at
// every step, without warm-up.
func resting(rank int, damping float64) *precond.Config {
	o := precond.New(1e-12)
	o.Rank, o.Damping, o.DampingDecay, o.WarmUp, o.Rows, o.Frequent = rank, damping, 1, 0, 1, 1<<20
	return o
}

// linearNet has inputs of different scales and one output: with squared errors its
// Gauss-Newton matrix is A⊗S for each layer, as KFAC assumes, and a probe z = ±w
// shows S = wwᵀ without noise.
type linearNet struct {
	tr    *trainers.Trainer
	batch graph.Batch
	x     *mat.Dense
}

func newLinearNet(t *testing.T, o *precond.Config, inputs, hidden int) linearNet {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 1))
	x := gaussian(rng, 40, inputs)
	for i := range 40 {
		for j := range inputs {
			x.Set(i, j, x.At(i, j)*math.Pow(2, -float64(j)/2))
		}
	}
	tr, err := trainers.New(layers.DeepLinear(inputs, hidden, 1), graph.SquaredError, o, trainers.Dtype(tensor.Float64))
	if err != nil {
		t.Fatal(err)
	}
	return linearNet{tr, graph.NewBatch(dense(x), tensor.New(tensor.WithShape(40, 1), tensor.Of(tensor.Float64))), x}
}

// damped are A + r_a·I and S + r_s·I of the first layer.
func (n linearNet) damped(damping float64) (a, s *mat.Dense) {
	rows, inputs := n.x.Dims()
	w := n.tr.Params()[1].Value
	hidden := w.Shape()[0]
	v := mat.NewDense(hidden, 1, append([]float64(nil), w.Float64s()...))
	a, s = new(mat.Dense), new(mat.Dense)
	a.Mul(n.x.T(), n.x)
	a.Scale(1/float64(rows), a)
	s.Mul(v, v.T())
	pi := math.Sqrt(mat.Trace(a) / float64(inputs) / (mat.Trace(s) / float64(hidden)))
	for i := range inputs {
		a.Set(i, i, a.At(i, i)+pi*math.Sqrt(damping))
	}
	for i := range hidden {
		s.Set(i, i, s.At(i, i)+math.Sqrt(damping)/pi)
	}
	return a, s
}

// sides are P_B and P_A of the first layer.
func (n linearNet) sides() (b, a *mat.Dense) {
	_, inputs := n.x.Dims()
	phi := n.tr.Phi()
	b, phi = side(phi, inputs)
	a, _ = side(phi, n.tr.Params()[1].Value.Shape()[0])
	return b, a
}

// side is the dense form of the side whose factors come first.
func side(phi []trainers.NamedTensor, size int) (*mat.Dense, []trainers.NamedTensor) {
	core := func(v *tensor.Dense) *mat.Dense {
		return mat.NewDense(v.Shape()[0], v.Shape()[1], append([]float64(nil), v.Float64s()...))
	}
	first := core(phi[0].Value)
	if rows, _ := first.Dims(); rows == size && len(phi[0].Value.Float64s()) == size*size {
		return first, phi[1:]
	}
	v, c, p := first, core(phi[1].Value), phi[2].Value.Float64s()[0]
	for i := range c.RawMatrix().Rows {
		c.Set(i, i, c.At(i, i)-p)
	}
	var all mat.Dense
	all.Product(v, c, v.T())
	for i := range size {
		all.Set(i, i, all.At(i, i)+p)
	}
	return &all, phi[3:]
}

// objective is tr(P·H) - log det P for P = b⊗a and H = f⊗g.
func objective(b, a, f, g *mat.Dense) float64 {
	var pf, pg mat.Dense
	pf.Mul(b, f)
	pg.Mul(a, g)
	n, _ := b.Dims()
	m, _ := a.Dims()
	logB, _ := mat.LogDet(b)
	logA, _ := mat.LogDet(a)
	return mat.Trace(&pf)*mat.Trace(&pg) - float64(m)*logB - float64(n)*logA
}

// TestStepsLowerTheObjective takes meta-steps on a fixed batch: each lowers
// tr(PH) - log det P, the mean over whitened probes of the objective that Theorem 1
// approximates Q by, with H = (A + r_a·I)⊗(S + r_s·I).
func TestStepsLowerTheObjective(t *testing.T) {
	for _, rank := range []int{8, 2} { // dense, and of low rank
		const damping = 0.01
		o := resting(rank, damping)
		if rank == 2 {
			o.Turn = 0 // in a fixed subspace
		}
		n := newLinearNet(t, o, 8, 5)
		a, s := n.damped(damping)
		pb, pa := n.sides()
		last := objective(pb, pa, a, s)
		first := last
		for step := range 60 {
			if _, err := n.tr.Step(n.batch); err != nil {
				t.Fatal(err)
			}
			pb, pa = n.sides()
			now := objective(pb, pa, a, s)
			if !(now < last) {
				t.Errorf("rank %d, step %d: the objective went from %v to %v", rank, step, last, now)
			}
			last = now
		}
		if first-last < 10 {
			t.Errorf("rank %d: the objective went from %v to %v only", rank, first, last)
		}
	}
}

// TestFixedPointIsTheMinimiser learns P to the end: it is Theorem 1's minimiser
// (F + d)⁻¹ within the family. With dense sides the family has it, and it is the damped
// KFAC preconditioner of Corollary 2. Of low rank, tr(PH) - log det P is least where V
// are the first eigenvectors of the side's matrix, C their inverse eigenvalues and 1/p
// the mean of the others.
func TestFixedPointIsTheMinimiser(t *testing.T) {
	for _, rank := range []int{8, 2} {
		const damping = 0.01
		n := newLinearNet(t, resting(rank, damping), 8, 5)
		for range 3000 {
			if _, err := n.tr.Step(n.batch); err != nil {
				t.Fatal(err)
			}
		}
		a, s := n.damped(damping)
		pb, pa := n.sides()
		wantB, wantA := nearest(t, a, rank), nearest(t, s, rank)
		scale := mat.Trace(wantA) / 5 // the gauge: the mean eigenvalue of P_A is 1
		wantA.Scale(1/scale, wantA)
		wantB.Scale(scale, wantB)
		for what, c := range map[string][2]*mat.Dense{"P_B": {pb, wantB}, "P_A": {pa, wantA}} {
			if !mat.EqualApprox(c[0], c[1], 1e-6*mat.Max(c[1])) {
				t.Errorf("rank %d: %s is\n%.5f\nthe minimiser has\n%.5f", rank, what, mat.Formatted(c[0]), mat.Formatted(c[1]))
			}
		}
		if got, want := objective(pb, pa, a, s), objective(wantB, wantA, a, s); math.Abs(got-want) > 1e-8*math.Abs(want) {
			t.Errorf("rank %d: the objective is %v, its minimum %v", rank, got, want)
		}
	}
}

// nearest is the member of a side's family that minimises tr(PM) - log det P.
func nearest(t *testing.T, m *mat.Dense, rank int) *mat.Dense {
	t.Helper()
	n, _ := m.Dims()
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range n {
			sym.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		t.Fatal("no eigenvalues")
	}
	var q, p mat.Dense
	eig.VectorsTo(&q)
	values := eig.Values(nil) // ascending
	inverse := mat.NewDiagDense(n, nil)
	rest := 0.0
	if n > 2*rank {
		for _, v := range values[:n-rank] {
			rest += v / float64(n-rank)
		}
	}
	for i, v := range values {
		if n > 2*rank && i < n-rank {
			v = rest
		}
		inverse.SetDiag(i, 1/v)
	}
	p.Product(&q, inverse, q.T())
	return &p
}
