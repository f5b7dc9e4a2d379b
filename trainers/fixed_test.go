package trainers

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// TestFixedLeavesAreReadAsTheyAre has a graph with weights that are not trained, one
// list of them named and one not, and a number: B' is the earlier mini-batch's data
// with the present values of all three.
func TestFixedLeavesAreReadAsTheyAre(t *testing.T) {
	g := gorgonia.NewGraph()
	leaf := func(name string, shape ...int) (*gorgonia.Node, *tensor.Dense) {
		v := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(tensor.Range(tensor.Float64, 1, 1+tensor.Shape(shape).TotalSize())))
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(v)), v
	}
	must := gorgonia.Must
	x, xv := leaf("x", 2, 3)
	w, _ := leaf("w", 3, 2)
	frozen, frozenV := leaf("frozen", 2, 2)
	unlisted, unlistedV := leaf("unlisted", 2, 2)
	scale := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("scale"), gorgonia.WithValue(0.5))
	out := must(gorgonia.Mul(must(gorgonia.Mul(must(gorgonia.Mul(x, w)), frozen)), unlisted))
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Mul(scale, out))))))
	s, err := Wrap(graph.Problem{Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Params: gorgonia.Nodes{w}, Fixed: gorgonia.Nodes{frozen}},
		SGD(1e-8), EveryK(1), FSD(1, graph.HalfSquared))
	wantNil(t, err)
	notes := strings.Join(s.Notes(), "\n")
	if !strings.Contains(notes, "unlisted") || !strings.Contains(notes, "scale") || strings.Contains(notes, "frozen") {
		t.Errorf("notes %q", notes)
	}
	_, err = gorgonia.Grad(cost, w)
	wantNil(t, err)
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	defer vm.Close()
	for range 2 {
		wantNil(t, vm.RunAll())
		wantNil(t, s.Step(gorgonia.NodesToValueGrads(gorgonia.Nodes{w})))
		vm.Reset()
		if len(s.engine.kept) != 1 || len(s.engine.kept[0]) != 1 {
			t.Fatalf("kept %v, want the data alone", s.engine.kept)
		}
	}
	earlier := slices.Clone(xv.Float64s())
	for i := range earlier {
		xv.Float64s()[i]++
	}
	frozenV.Float64s()[0], unlistedV.Float64s()[0] = 7, 8
	wantNil(t, gorgonia.Let(scale, 9.0))
	batch, err := s.batch()
	wantNil(t, err)
	tilde, err := s.engine.chooseTilde(batch, nil, 0)
	wantNil(t, err)
	if len(tilde) != 4 || !slices.Equal(tilde[0].Float64s(), earlier) || tilde[1].Float64s()[0] != 7 || tilde[2].Float64s()[0] != 8 || tilde[3].Float64s()[0] != 9 {
		t.Errorf("B' is %v", tilde)
	}
}

// TestNumbersAsWeights trains Gorgonia's own example of linear regression, y = m·x + c
// with numbers m and c, without names.
func TestNumbersAsWeights(t *testing.T) {
	g := gorgonia.NewGraph()
	const n = 20
	xs, ys := make([]float32, n), make([]float32, n)
	for i := range xs {
		xs[i] = float32(i) / n
		ys[i] = 2*xs[i] + 0.3
	}
	vector := func(name string, v []float32) *gorgonia.Node {
		return gorgonia.NewVector(g, tensor.Float32, gorgonia.WithName(name), gorgonia.WithShape(n), gorgonia.WithValue(tensor.New(tensor.WithShape(n), tensor.WithBacking(v))))
	}
	x, y := vector("x", xs), vector("y", ys)
	m := gorgonia.NewScalar(g, tensor.Float32, gorgonia.WithName("m"), gorgonia.WithValue(float32(0.1)))
	c := gorgonia.NewScalar(g, tensor.Float32, gorgonia.WithValue(float32(0.1)))
	must := gorgonia.Must
	pred := must(gorgonia.Add(must(gorgonia.Mul(x, m)), c))
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(pred, y))))))
	_, err := gorgonia.Grad(cost, m, c)
	wantNil(t, err)
	s, err := Wrap(graph.Problem{Cost: cost, Output: pred, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{m, c}},
		SGD(0.05), EveryK(5), FSD(0.1, graph.HalfSquared), WSD(0.01))
	wantNil(t, err)
	if names := []string{s.engine.Task.Model[0].Name, s.engine.Task.Model[1].Name}; !slices.Equal(names, []string{"m", "param1"}) {
		t.Errorf("parameters %q", names)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(m, c))
	defer vm.Close()
	for range 500 {
		wantNil(t, vm.RunAll())
		wantNil(t, s.Step(gorgonia.NodesToValueGrads(gorgonia.Nodes{m, c})))
		vm.Reset()
	}
	if v := s.Last().Loss; v > 1e-4 || m.Value().Data().(float32) < 1.9 {
		t.Errorf("loss %v, m = %v, c = %v", v, m.Value(), c.Value())
	}
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
