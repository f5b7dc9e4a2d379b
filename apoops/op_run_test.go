package apoops

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestLoansAreNotCopied lends memory to an op: a fresh one has memory of its own.
// Memory of a wrong size is refused, and so is any for results that are not lent
// memory.
func TestLoansAreNotCopied(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))
	borrower := func(n *gorgonia.Node, err error) BufferSetter[float64] {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n.Op().(BufferSetter[float64])
	}
	o := borrower(ReLU(x))
	memory := make([]float64, 6)
	if n := o.BufferSize(); n != 6 {
		t.Fatalf("%d elements, not 6", n)
	}
	if err := o.SetBuffer(memory); err != nil {
		t.Fatal(err)
	}
	value := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, -2, 3, -4, 5, -6}))
	for _, op := range []gorgonia.Op{o, o.Clone(nil)} {
		clear(memory)
		v, err := op.Do(value)
		if err != nil {
			t.Fatal(err)
		}
		if y := v.Data().([]float64); y[4] != 5 {
			t.Fatalf("result %v", y)
		}
		if lent := memory[4] == 5; lent != (op == gorgonia.Op(o)) {
			t.Fatalf("%T in lent memory: %t", op, lent)
		}
	}
	if err := o.SetBuffer(memory[:5]); err == nil {
		t.Error("5 elements lent for 6")
	}
	noise := NewRandom(1)
	for _, kept := range []BufferSetter[float64]{
		borrower(Finite(x)),
		borrower(SampleCategorical(x, noise)),
		borrower(InputMoment(Factors{A: x}, &Switch{})),
	} {
		if n := kept.BufferSize(); n != 0 || kept.SetBuffer(nil) == nil {
			t.Errorf("%v borrows %d", kept, n)
		}
	}
}
