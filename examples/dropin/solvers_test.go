package dropin

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// parameter is a gorgonia.ValueGrad.
type parameter struct{ value, grad gorgonia.Value }

func (p parameter) Value() gorgonia.Value         { return p.value }
func (p parameter) Grad() (gorgonia.Value, error) { return p.grad, nil }

// stepped is the weight w after one step of the solver for each of the gradients g. The
// parameter is a scalar or an array of one element.
func stepped(t *testing.T, solver gorgonia.Solver, scalar bool, w float64, g ...float64) float64 {
	t.Helper()
	p := parameter{tensor.New(tensor.WithBacking([]float64{w})), tensor.New(tensor.WithBacking([]float64{0}))}
	if scalar {
		p = parameter{gorgonia.NewF64(w), gorgonia.NewF64(0)}
	}
	for _, x := range g {
		if scalar {
			*p.grad.(*gorgonia.F64) = gorgonia.F64(x)
		} else {
			p.grad.(*tensor.Dense).Float64s()[0] = x
		}
		check(t, solver.Step([]gorgonia.ValueGrad{p}))
	}
	if scalar {
		return float64(*p.value.(*gorgonia.F64))
	}
	return p.value.(*tensor.Dense).Float64s()[0]
}

// TestWhatIsWrongWithGorgoniasSolvers checks what README.md says about them.
func TestWhatIsWrongWithGorgoniasSolvers(t *testing.T) {
	rate := gorgonia.WithLearnRate
	// The parameters of a gradient root for a default ρ of 0.999.
	root := func(g, eps float64) float64 { return math.Sqrt(0.001*g*g + eps) }
	for _, c := range []struct {
		what   string
		solver gorgonia.Solver
		scalar bool
		w      float64
		g      []float64
		want   float64 // what it does, not what it should do
	}{
		{"Momentum's penalty is on the velocity: no decay without gradient", gorgonia.NewMomentum(rate(1), gorgonia.WithL2Reg(0.1)), false, 1, []float64{0, 0}, 1},
		{"Momentum's L1 too", gorgonia.NewMomentum(rate(1), gorgonia.WithL1Reg(0.1)), false, 1, []float64{0, 0}, 1},
		{"Momentum of arrays", gorgonia.NewMomentum(rate(0.1)), false, 1, []float64{1, 1}, 1 - 0.1*(1+1.9)},
		{"Momentum of scalars has none", gorgonia.NewMomentum(rate(0.1)), true, 1, []float64{1, 1}, 1 - 0.1*2},
		{"RMSProp's ε is inside the root, its ρ 0.999", gorgonia.NewRMSPropSolver(rate(0.1), gorgonia.WithEps(0.3)), false, 1, []float64{2}, 1 - 0.1*2/root(2, 0.3)},
		{"RMSProp's L2 is not scaled by the rate", gorgonia.NewRMSPropSolver(rate(0.1), gorgonia.WithL2Reg(0.2)), false, 1, []float64{0}, 1 - 0.2},
		{"RMSProp squares before it clips", gorgonia.NewRMSPropSolver(rate(0.1), gorgonia.WithClip(1)), false, 1, []float64{2}, 1 - 0.1*1/root(2, 1e-8)},
		{"RMSProp does not clip scalars", gorgonia.NewRMSPropSolver(rate(0.1), gorgonia.WithClip(1)), true, 1, []float64{2}, 1 - 0.1*2/root(2, 1e-8)},
		{"RMSProp ignores the batch size", gorgonia.NewRMSPropSolver(rate(0.1), gorgonia.WithBatchSize(8), gorgonia.WithEps(0.3)), false, 1, []float64{2}, 1 - 0.1*2/root(2, 0.3)},
		{"AdaGrad ignores its options", gorgonia.NewAdaGradSolver(rate(1)), false, 1, []float64{2}, 1 - 0.001*2/math.Sqrt(4+1e-8)},
		{"AdaGrad of scalars adds nothing up", gorgonia.NewAdaGradSolver(), true, 1, []float64{2, 2}, 1 - 2*0.001*2/math.Sqrt(4+1e-8)},
		{"L2 is divided by the batch size", gorgonia.NewVanillaSolver(rate(0.1), gorgonia.WithBatchSize(4), gorgonia.WithL2Reg(0.8)), false, 1, []float64{0}, 1 - 0.1*0.8/4},
		{"Adam's ε is outside the root", gorgonia.NewAdamSolver(rate(0.1), gorgonia.WithEps(0.3)), false, 1, []float64{2}, 1 - 0.1*2/(2+0.3)},
		{"Adam knows no momentum", gorgonia.NewAdamSolver(rate(0.1), gorgonia.WithMomentum(0.5)), false, 1, []float64{2}, 1 - 0.1*2/(2+1e-8)},
	} {
		if got := stepped(t, c.solver, c.scalar, c.w, c.g...); math.Abs(got-c.want) > 1e-14 {
			t.Errorf("%s: %v, not %v", c.what, got, c.want)
		}
	}
}

// TestGorgoniasAdamWLeavesWeightsAlone uses nodes, which are all that its Step accepts.
func TestGorgoniasAdamWLeavesWeightsAlone(t *testing.T) {
	g := gorgonia.NewGraph()
	w := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithValue(tensor.New(tensor.WithBacking([]float64{1, 2}))))
	cost := must(gorgonia.Sum(must(gorgonia.Square(w))))
	_, err := gorgonia.Grad(cost, w)
	check(t, err)
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	defer vm.Close()
	solver := gorgonia.NewAdamW(gorgonia.WithLearnRate(0.5))
	for range 3 {
		check(t, vm.RunAll())
		check(t, solver.Step(gorgonia.NodesToValueGrads(gorgonia.Nodes{w})))
		vm.Reset()
	}
	if v := w.Value().Data().([]float64); v[0] != 1 || v[1] != 2 {
		t.Errorf("AdamW moves the weights, to %v: README.md says that it does not", v)
	}
}

// TestGorgoniasAdamInFloat32 takes 1-β2 from β2 rounded to float32, but corrects
// the bias by β2 in float64: the first step is too long by half the difference.
func TestGorgoniasAdamInFloat32(t *testing.T) {
	p := parameter{tensor.New(tensor.WithBacking([]float32{0})), tensor.New(tensor.WithBacking([]float32{1}))}
	check(t, gorgonia.NewAdamSolver(gorgonia.WithLearnRate(1), gorgonia.WithEps(0)).Step([]gorgonia.ValueGrad{p}))
	if step := -float64(p.value.(*tensor.Dense).Float32s()[0]); !(step > 1+5e-6 && step < 1+8e-6) {
		t.Errorf("the first step is %v, not 1.0000065", step)
	}
}

// TestGorgoniasBarzilaiBorweinTakesFloat64Alone fails with float32.
func TestGorgoniasBarzilaiBorweinTakesFloat64Alone(t *testing.T) {
	p := parameter{tensor.New(tensor.WithBacking([]float32{1, 2})), tensor.New(tensor.WithBacking([]float32{1, 1}))}
	if err := gorgonia.NewBarzilaiBorweinSolver().Step([]gorgonia.ValueGrad{p}); err == nil {
		t.Error("no error: README.md says that there is one")
	}
}

// TestLispMachinesOwnFaults has a gradient of Max that stays 0, and Pow with a number,
// which fails.
func TestLispMachinesOwnFaults(t *testing.T) {
	run := func(f func(w *gorgonia.Node) *gorgonia.Node) ([]float64, error) {
		g := gorgonia.NewGraph()
		w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithValue(tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]float64{1, 2}))))
		must(gorgonia.Sum(f(w)))
		m := gorgonia.NewLispMachine(g)
		defer m.Close()
		if err := m.RunAll(); err != nil {
			return nil, err
		}
		d, err := w.Grad()
		check(t, err)
		return d.Data().([]float64), nil
	}
	if d, err := run(func(w *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Max(w, 1)) }); err != nil || d[1] != 0 {
		t.Errorf("gradient of Max: %v, %v; README.md says 0", d, err)
	}
	if _, err := run(func(w *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Pow(w, gorgonia.NewConstant(3.0))) }); err == nil {
		t.Error("no error of Pow: README.md says that there is one")
	}
}

// TestWhatElseIsWrong checks what README.md says about Gorgonia's Grad, Dropout and
// LispMachine.
func TestWhatElseIsWrong(t *testing.T) {
	vector := func(g *gorgonia.ExprGraph, name string, v ...float64) *gorgonia.Node {
		return gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithValue(tensor.New(tensor.WithBacking(v))))
	}
	t.Run("Grad twice", func(t *testing.T) {
		g := gorgonia.NewGraph()
		w := vector(g, "w", 2, 3)
		trunk := must(gorgonia.Square(w))
		first, second := must(gorgonia.Sum(trunk)), must(gorgonia.Sum(must(gorgonia.Square(trunk))))
		_, err := gorgonia.Grad(first, w)
		check(t, err)
		d, err := gorgonia.Grad(second, w)
		check(t, err)
		var value gorgonia.Value
		gorgonia.Read(d[0], &value)
		vm := gorgonia.NewTapeMachine(g)
		defer vm.Close()
		check(t, vm.RunAll())
		if v := value.Data().([]float64); v[0] == 32 && v[1] == 108 {
			t.Errorf("the second gradient of a graph is right, 4w³ = %v", v)
		}
	})
	t.Run("Dropout", func(t *testing.T) {
		const p = 0.25
		g := gorgonia.NewGraph()
		ones := make([]float64, 200)
		for i := range ones {
			ones[i] = 1
		}
		w := vector(g, "w", ones...)
		cost := must(gorgonia.Sum(must(gorgonia.Dropout(w, p))))
		_, err := gorgonia.Grad(cost, w)
		check(t, err)
		vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
		defer vm.Close()
		check(t, vm.RunAll())
		d, err := w.Grad()
		check(t, err)
		for _, x := range d.Data().([]float64) {
			if x != 0 && x != 1/p {
				t.Fatalf("the gradient is %v, neither 0 nor 1/p", x)
			}
		}
	})
	t.Run("Reset of a LispMachine", func(t *testing.T) {
		g := gorgonia.NewGraph()
		w := vector(g, "w", 1, 2)
		cost := must(gorgonia.Sum(must(gorgonia.Square(w))))
		m := gorgonia.NewLispMachine(g)
		defer m.Close()
		check(t, m.RunAll())
		m.Reset()
		check(t, gorgonia.Let(w, tensor.New(tensor.WithBacking([]float64{5, 6}))))
		if err := m.RunAll(); err == nil && cost.Value().Data().(float64) == 61 {
			t.Error("the machine runs anew after Reset")
		}
	})
}
