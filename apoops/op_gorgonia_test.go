package apoops

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestLispMachineIsRefused runs an op of this package on a LispMachine, which
// would skip the op on the way back and leave the gradient of w at 0.
func TestLispMachineIsRefused(t *testing.T) {
	build := func() (*gorgonia.ExprGraph, *gorgonia.Node) {
		g := gorgonia.NewGraph()
		w := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(3),
			gorgonia.WithValue(tensor.New(tensor.WithBacking([]float64{1, -2, 3}))))
		y, err := ReLU(w)
		if err != nil {
			t.Fatal(err)
		}
		return g, gorgonia.Must(gorgonia.Sum(y))
	}

	g, _ := build()
	m := gorgonia.NewLispMachine(g)
	defer m.Close()
	err := m.RunAll()
	if err == nil || !strings.Contains(err.Error(), "relu") || !strings.Contains(err.Error(), "TapeMachine") {
		t.Errorf("error %v does not name the op and the machine to use", err)
	}

	g, cost := build()
	forward := gorgonia.NewLispMachine(g, gorgonia.ExecuteFwdOnly())
	defer forward.Close()
	if err := forward.RunAll(); err != nil {
		t.Fatal(err)
	}
	if got := cost.Value().Data().(float64); got != 4 {
		t.Errorf("forward alone gives %v, not 4", got)
	}
}
