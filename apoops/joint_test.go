package apoops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
)

// normRun are the values and gradients of batch norm, by element.
type normRun struct{ y, dx, dscale, dshift, mean, variance []float64 }

// normNet is batch norm of x with the loss Σ y·dy, of one process where comm is nil.
func normNet[T Float](t *testing.T, comm collective.Communicator, counts float64, x, dy, scale, shift *tensor.Dense, a Activation) func() normRun {
	t.Helper()
	g := gorgonia.NewGraph()
	leaf := func(name string, v *tensor.Dense) *gorgonia.Node {
		to := make([]T, len(v.Float64s()))
		for i, f := range v.Float64s() {
			to[i] = T(f)
		}
		n := gorgonia.NewTensor(g, DtypeOf[T](), v.Dims(), gorgonia.WithShape(v.Shape()...), gorgonia.WithName(name))
		if err := gorgonia.Let(n, tensor.New(tensor.WithShape(v.Shape()...), tensor.WithBacking(to))); err != nil {
			t.Fatal(err)
		}
		return n
	}
	xs, dys, w, b := leaf("x", x), leaf("dy", dy), leaf("scale", scale), leaf("shift", shift)
	h := gorgonia.Must(Reshape(xs, x.Shape()...)) // no input: its gradient is wanted
	var y, mean, variance *gorgonia.Node
	var err error
	if comm == nil {
		y, mean, variance, err = BatchNorm(h, w, b, 1e-3, a)
	} else {
		c := gorgonia.NewScalar(g, DtypeOf[T](), gorgonia.WithName("counts"), gorgonia.WithValue(any(T(counts))))
		y, mean, variance, err = JointBatchNorm(comm, c, h, w, b, 1e-3, a)
	}
	if err != nil {
		t.Fatal(err)
	}
	loss := gorgonia.Must(InnerProduct(y, dys, 1))
	grads, err := gorgonia.Grad(loss, xs, w, b)
	if err != nil {
		t.Fatal(err)
	}
	var values [3]gorgonia.Value
	for i, n := range []*gorgonia.Node{y, mean, variance} {
		gorgonia.Read(n, &values[i])
	}
	vm := gorgonia.NewTapeMachine(g)
	return func() (r normRun) {
		if err := vm.RunAll(); err != nil {
			t.Error(err)
			return r
		}
		for i, to := range []*[]float64{&r.y, &r.mean, &r.variance} {
			*to = elementsOf[T](values[i].(*tensor.Dense))
		}
		for i, to := range []*[]float64{&r.dx, &r.dscale, &r.dshift} {
			*to = elementsOf[T](grads[i].Value().(*tensor.Dense))
		}
		return r
	}
}

func elementsOf[T Float](v *tensor.Dense) (all []float64) {
	for _, x := range Elements[T](v) {
		all = append(all, float64(x))
	}
	return all
}

// imagesOf are images [lo, hi) of x.
func imagesOf(x *tensor.Dense, lo, hi int) *tensor.Dense {
	s := x.Shape().Clone()
	each := s.TotalSize() / s[0]
	s[0] = hi - lo
	return tensor.New(tensor.WithShape(s...), tensor.WithBacking(append([]float64(nil), x.Float64s()[lo*each:hi*each]...)))
}

// TestJointBatchNorm compares three members, one of which has no examples of its own and one
// a single image, with one process.
func TestJointBatchNorm(t *testing.T) {
	t.Run("float64", func(t *testing.T) { jointBatchNorm[float64](t, 1e-12) })
	t.Run("float32", func(t *testing.T) { jointBatchNorm[float32](t, 1e-4) })
}

func jointBatchNorm[T Float](t *testing.T, tolerance float64) {
	rng := rand.New(rand.NewPCG(5, 1))
	for _, s := range []tensor.Shape{{8, 3}, {8, 16, 3, 2}} {
		for _, a := range []Activation{Identity, ReLUAct, TanhAct} {
			x, dy, scale, shift := randn(rng, s...), randn(rng, s...), randn(rng, s[1]), randn(rng, s[1])
			for i := range x.Float64s() {
				x.Float64s()[i] += 3
			}
			want := normNet[T](t, nil, 1, x, dy, scale, shift, a)()
			none := tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(imagesOf(dy, 0, 1).Shape()...))
			var runs []func() normRun
			for r, c := range collective.Local(3) {
				switch r {
				case 0:
					runs = append(runs, normNet[T](t, c, 1, imagesOf(x, 0, 1), imagesOf(dy, 0, 1), scale, shift, a))
				case 1:
					runs = append(runs, normNet[T](t, c, 1, imagesOf(x, 1, 8), imagesOf(dy, 1, 8), scale, shift, a))
				case 2:
					runs = append(runs, normNet[T](t, c, 0, imagesOf(x, 2, 3), none, scale, shift, a))
				}
			}
			got := make([]normRun, 3)
			var wg sync.WaitGroup
			for r, run := range runs {
				wg.Go(func() { got[r] = run() })
			}
			wg.Wait()
			if t.Failed() {
				return
			}
			name := fmt.Sprint(s, a)
			same := func(what string, got, want []float64) {
				t.Helper()
				if d := largestDifference(got, want); !(d <= tolerance) {
					t.Errorf("%s: %s is off by %.1e", name, what, d)
				}
			}
			same("y", append(got[0].y, got[1].y...), want.y)
			same("dx", append(got[0].dx, got[1].dx...), want.dx)
			same("dx of a member that does not count", got[2].dx, make([]float64, len(got[2].dx)))
			same("the mean", got[2].mean, want.mean)
			same("the variance", got[0].variance, want.variance)
			for j := range want.dscale {
				same("dscale", []float64{got[0].dscale[j] + got[1].dscale[j]}, want.dscale[j:j+1])
				same("dshift", []float64{got[0].dshift[j] + got[1].dshift[j]}, want.dshift[j:j+1])
			}
		}
	}
}

func largestDifference(a, b []float64) (d float64) {
	if len(a) != len(b) {
		return 1
	}
	for i := range a {
		d = max(d, math.Abs(a[i]-b[i])/(1+math.Abs(b[i])))
	}
	return d
}

// TestJointRowsOutOfRange: a first row that leaves the range is an error of the run that names the
// rows, and the next run goes on.
func TestJointRowsOutOfRange(t *testing.T) {
	first := 1
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float64, 2, gorgonia.WithName("x"), gorgonia.WithShape(2, 3), gorgonia.WithValue(tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, 2, 3, 4, 5, 6}))))
	w := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithValue(2.0))
	rows, err := JointRows(collective.Local(1)[0], x, w, func() int { return first }, 4)
	if err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	for _, c := range []struct {
		first int
		want  string
	}{{1, ""}, {3, "rows 3 to 4 among 4"}, {-1, "rows -1 to 0 among 4"}, {40, "rows 40 to 41 among 4"}, {2, ""}} {
		first = c.first
		vm.Reset()
		err := vm.RunAll()
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("first %d: error %v, want %q", c.first, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Fatalf("first %d: %v", c.first, err)
		}
		want := make([]float64, 12)
		copy(want[3*c.first:], []float64{2, 4, 6, 8, 10, 12})
		if got := rows.Value().Data().([]float64); !slices.Equal(got, want) {
			t.Errorf("first %d: %v, want %v", c.first, got, want)
		}
	}
}
