package apoops

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestClonesHaveBuffersOfTheirOwn: SetBuffer is for one op, not for its clones. A buffer
// of a wrong size is refused, and so is any for results whose buffer cannot be set.
func TestClonesHaveBuffersOfTheirOwn(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))
	setter := func(n *gorgonia.Node, err error) BufferSetter[float64] {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n.Op().(BufferSetter[float64])
	}
	o := setter(ReLU(x))
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
		if inMemory := memory[4] == 5; inMemory != (op == gorgonia.Op(o)) {
			t.Fatalf("%T in the given buffer: %t", op, inMemory)
		}
	}
	if err := o.SetBuffer(memory[:5]); err == nil {
		t.Error("a buffer of 5 elements for 6")
	}
	noise := NewRandom(1)
	for _, kept := range []BufferSetter[float64]{
		setter(Finite(x)),
		setter(SampleCategorical(x, noise)),
		setter(InputMoment(Factors{A: x}, &Switch{})),
	} {
		if n := kept.BufferSize(); n != 0 || kept.SetBuffer(nil) == nil {
			t.Errorf("%v takes a buffer of %d", kept, n)
		}
	}
}
