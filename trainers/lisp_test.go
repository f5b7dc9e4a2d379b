package trainers

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// lispGraph is a net of ops that a LispMachine differentiates rightly.
func lispGraph(p *plainGraph) graph.Problem {
	must := gorgonia.Must
	x, y := p.leaf("x", 6, 4), p.leaf("y", 6, 3)
	h := must(gorgonia.Tanh(must(gorgonia.Mul(x, p.param("w0", 4, 5)))))
	out := must(gorgonia.Mul(h, p.param("w1", 5, 3)))
	cost := must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.Square(must(gorgonia.Sub(out, y)))), 1))))
	return graph.Problem{Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: p.params}
}

// TestGradientsOfALispMachine trains with gradients of a LispMachine and with
// those of a TapeMachine.
func TestGradientsOfALispMachine(t *testing.T) {
	train := func(lisp bool) (*Solver, []float64) {
		p := &plainGraph{g: gorgonia.NewGraph(), dt: tensor.Float64, rng: rand.New(rand.NewPCG(7, 1))}
		problem := lispGraph(p)
		solver, err := Wrap(problem, SGDm(0.01), EveryK(2), FSD(0.1, graph.HalfSquared))
		if err != nil {
			t.Fatal(err)
		}
		var vm gorgonia.VM
		if !lisp {
			if _, err := gorgonia.Grad(problem.Cost, p.params...); err != nil {
				t.Fatal(err)
			}
			vm = gorgonia.NewTapeMachine(p.g, gorgonia.BindDualValues(p.params...))
		}
		var losses []float64
		for range 6 {
			if lisp { // runs once: its Reset does not go back to the beginning
				vm = gorgonia.NewLispMachine(p.g)
			}
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			if err := solver.Step(gorgonia.NodesToValueGrads(p.params)); err != nil {
				t.Fatal(err)
			}
			vm.Reset()
			if lisp {
				vm.Close()
			}
			losses = append(losses, solver.Last().Loss)
		}
		return solver, losses
	}
	lisp, losses := train(true)
	tape, want := train(false)
	sameBits(t, "after 6 steps", lisp.engine, tape.engine)
	if !slices.Equal(losses, want) {
		t.Errorf("losses %v, want %v", losses, want)
	}
}
