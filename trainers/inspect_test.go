package trainers

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

func TestTheLastGradientsAreThoseOfTheStep(t *testing.T) {
	start := func(opts ...Option) *Trainer {
		tr, err := New(layers.MLP(2, 3, 1), graph.SquaredError, SGD(0.5), append(opts, Dtype(tensor.Float64))...)
		if err != nil {
			t.Fatal(err)
		}
		if tr.LastGradient() != nil || tr.LastMetaGradient() != nil {
			t.Error("there are gradients before the first step")
		}
		return tr
	}
	step := func(tr *Trainer) Stats {
		x := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, -2, 0.5, 3}))
		y := tensor.New(tensor.WithShape(2, 1), tensor.WithBacking([]float64{1, -1}))
		s, err := tr.Step(graph.NewBatch(x, y))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}

	tr := start(EveryK(0))
	before := append([]float64(nil), tr.Params()[0].Value.Float64s()...)
	step(tr)
	g := tr.LastGradient()
	if len(g) != 2 || g[0].Name != tr.Params()[0].Name || !g[0].Value.Shape().Eq(tensor.Shape{3, 3}) {
		t.Fatalf("gradients %v", g)
	}
	for i, w := range tr.Params()[0].Value.Float64s() {
		if want := before[i] - 0.5*g[0].Value.Float64s()[i]; math.Abs(w-want) > 1e-15 {
			t.Errorf("element %d moved to %v, not %v", i, w, want)
		}
	}
	if tr.LastMetaGradient() != nil {
		t.Error("there is a meta-gradient without meta-steps")
	}

	tr = start(EveryK(3))
	if s := step(tr); s.Meta != nil || tr.LastMetaGradient() != nil {
		t.Errorf("the meta-step of step 0 has ended at once: %+v", s.Meta)
	}
	s := step(tr)
	m := tr.LastMetaGradient()
	if len(m) != 1 || m[0].Name != tr.Phi()[0].Name || math.Abs(array.Norm(m[0].Value)-s.Meta.GradNorm) > 1e-15 {
		t.Errorf("meta-gradient %v, norm %v", m, s.Meta.GradNorm)
	}
	step(tr)
	if again := tr.LastMetaGradient(); array.Norm(again[0].Value) != s.Meta.GradNorm {
		t.Error("a step without meta-step changed the meta-gradient")
	}

	tr = start(ClipMeta(1e-6), SameBatch())
	if s = step(tr); s.Meta.GradNorm <= 1e-6 || math.Abs(array.Norm(tr.LastMetaGradient()[0].Value)-1e-6) > 1e-15 {
		t.Errorf("clipped meta-gradient %v, norm before %v", tr.LastMetaGradient(), s.Meta.GradNorm)
	}
}
