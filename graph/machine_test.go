package graph

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// TestMachineEqualsTape compares the results of graphs of every kind, bit for bit, on a
// machine with those of a tape machine.
func TestMachineEqualsTape(t *testing.T) {
	machines := 0
	for _, r := range append(append(roles(t), probeRoles(t)...), rowsRole()) {
		t.Run(r.name, func(t *testing.T) {
			tapeOnly = true
			defer func() { tapeOnly = false }()
			tape := r.build(t)
			tapeOnly = false
			own := r.build(t)
			if _, ok := tape.program.vm.(*machine); ok {
				t.Fatal("it is no tape machine")
			}
			if _, ok := own.program.vm.(*machine); !ok {
				return // a user's graph
			}
			machines++
			for i := range 3 {
				want, got := tape.run(t, i), own.run(t, i)
				for j := range want {
					equalBits(t, fmt.Sprintf("step %d, result %d", i, j), got[j], want[j])
				}
			}
		})
	}
	if machines < 10 {
		t.Errorf("only %d graphs ran on a machine", machines)
	}
}

// TestMachineAllocatesNothing in a run of a net's loss and gradients.
func TestMachineAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	if name, err := blas.Use(); err != nil || name == "gonum" {
		t.Skip("gonum's products start goroutines, and so allocate: ", err)
	}
	model := mlp{widths: []int{3, 40, 40, 2}, act: apoops.TanhAct}
	params, err := model.Init(1, tensor.Float64)
	must(t, err)
	pr := problems(rand.New(rand.NewPCG(7, 1)), 3, 2)[0]
	b, err := NewBase(Objective{Model: model, Loss: pr.loss}, params, pr.batch, nil)
	must(t, err)
	must(t, b.Feed(pr.batch), b.Run())
	if n := testing.AllocsPerRun(20, func() { must(t, b.Run()) }); n > 0 {
		t.Errorf("%v allocations a run", n)
	}
}

// machineOf is the machine of a graph, nil where it needs a tape machine.
func machineOf(t *testing.T, g *gorgonia.ExprGraph) *machine {
	t.Helper()
	order, ok := executionOrder(gorgonia.NewTapeMachine(g).Prog(), g)
	if !ok {
		t.Fatal("the order of execution is not known")
	}
	return newMachine(order)
}

// TestMachineOfNumbers has Gorgonia's ops on numbers, a constant, and Reads of an array and
// of a number, and runs twice on other values.
func TestMachineOfNumbers(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 2))
	y := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("y"))
	sum := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Square(y)), gorgonia.NewConstant(3.)))
	z := gorgonia.Must(apoops.SquaredError(x, x))
	total := gorgonia.Must(gorgonia.Mul(sum, gorgonia.Must(gorgonia.Add(z, y))))
	var read, array gorgonia.Value
	gorgonia.Read(total, &read)
	gorgonia.Read(x, &array)
	m := machineOf(t, g)
	if m == nil {
		t.Fatal("no machine")
	}
	if err := m.RunAll(); err == nil || !strings.Contains(err.Error(), "no value is bound to") {
		t.Errorf("without inputs: %v", err)
	}
	for _, v := range []float64{2, 5} {
		must(t, gorgonia.Let(y, v), gorgonia.Let(x, tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{v, 1, 2, 3}))))
		must(t, m.RunAll())
		m.Reset()
		want := (v*v + 3) * v
		for name, got := range map[string]gorgonia.Value{"read": read, "bound": total.Value()} {
			if number, ok := apoops.Number(got); !ok || number != want {
				t.Errorf("%s for %v: %v, not %v", name, v, got, want)
			}
		}
		if got := array.(*tensor.Dense).Float64s()[0]; got != v {
			t.Errorf("the array that was read has %v, not %v", got, v)
		}
	}
}

// TestMachineNamesWhatFails has an op that cannot do with its operand's shape.
func TestMachineNamesWhatFails(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 3))
	gorgonia.Must(apoops.SquaredError(x, x))
	m := machineOf(t, g)
	must(t, gorgonia.UnsafeLet(x, 1.))
	if err := m.RunAll(); err == nil || !strings.Contains(err.Error(), "squaredError") {
		t.Errorf("error %v", err)
	}
}

// TestMachineRefuses Gorgonia's ops on arrays, and an order that is not known.
func TestMachineRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 2))
	gorgonia.Must(gorgonia.Mul(x, x))
	if machineOf(t, g) != nil || newMachine(nil) != nil {
		t.Error("a machine for what needs a tape machine")
	}
}

// BenchmarkMachine is a run of the loss and gradients of a small net, beside that on a tape
// machine.
func BenchmarkMachine(b *testing.B) {
	for _, tapeOnly = range []bool{false, true} {
		b.Run(map[bool]string{false: "machine", true: "tape"}[tapeOnly], func(b *testing.B) {
			model := mlp{widths: []int{20, 100, 100, 1}, act: apoops.ReLUAct}
			params, err := model.Init(1, tensor.Float64)
			if err != nil {
				b.Fatal(err)
			}
			x := tensor.New(tensor.WithShape(16, 20), tensor.WithBacking(make([]float64, 16*20)))
			y := tensor.New(tensor.WithShape(16, 1), tensor.WithBacking(make([]float64, 16)))
			batch := NewBatch(x, y)
			base, err := NewBase(Objective{Model: model, Loss: SquaredError}, params, batch, nil)
			if err == nil {
				err = base.Feed(batch)
			}
			b.ReportAllocs()
			for b.Loop() && err == nil {
				err = base.Run()
			}
			if err != nil {
				b.Fatal(err)
			}
		})
	}
	tapeOnly = false
}
