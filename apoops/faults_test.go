package apoops

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The tests of this file show why the ops of this package stand in for
// Gorgonia's. Where one of them fails because Gorgonia's op has become right,
// ours may go.

type unary = func(x *gorgonia.Node) (*gorgonia.Node, error)

// runUnary builds f(x) for a matrix x of two rows, runs it and returns its
// value and the gradient of its sum. The data of x are used as they are, not
// copied.
func runUnary(t *testing.T, f unary, data []float64) (y, d []float64) {
	t.Helper()
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, len(data)/2),
		gorgonia.WithValue(tensor.New(tensor.WithShape(2, len(data)/2), tensor.WithBacking(data))))
	out, err := f(x)
	if err != nil {
		t.Fatal(err)
	}
	var value gorgonia.Value
	gorgonia.Read(out, &value)
	sum := out
	for range out.Dims() {
		sum = gorgonia.Must(gorgonia.Sum(sum, 0))
	}
	grads, err := gorgonia.Grad(sum, x)
	if err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g)
	runtime.SetFinalizer(vm, nil)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return floats(value), floats(grads[0].Value())
}

// TestFaultSoftMaxRowMaximum: Gorgonia takes the maximum of every row with
// element 0 of the whole tensor, so a row far below it comes out as 0/0.
func TestFaultSoftMaxRowMaximum(t *testing.T) {
	x := []float64{1000, 0, 0, -10, -20, -30}
	stock, _ := runUnary(t, func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.SoftMax(x) }, slices.Clone(x))
	ours, _ := runUnary(t, Softmax, slices.Clone(x))
	if !math.IsNaN(stock[3]) {
		t.Fatalf("Gorgonia's softmax is mended: %v", stock)
	}
	compare(t, "softmax", ours[3:], softmaxOf(x[3:]), 1e-12)
}

// TestFaultSoftMaxMerges: Gorgonia's SoftMax and LogSoftMax of one x have the
// same hash, so they become one node.
func TestFaultSoftMaxMerges(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 3))
	if gorgonia.Must(gorgonia.SoftMax(x)) != gorgonia.Must(gorgonia.LogSoftMax(x)) {
		t.Fatal("Gorgonia's SoftMax and LogSoftMax are two nodes now")
	}
	if gorgonia.Must(Softmax(x)) == gorgonia.Must(LogSoftmax(x)) {
		t.Fatal("ours are one node")
	}
}

// TestFaultDropoutGradient: the result is linear in x, so its gradient is
// y/x. Gorgonia's is 1/p where 1/(1-p) is right.
func TestFaultDropoutGradient(t *testing.T) {
	const p = 0.2
	ones := make([]float64, 100)
	for i := range ones {
		ones[i] = 1
	}
	stock, dStock := runUnary(t, func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Dropout(x, p) }, slices.Clone(ones))
	ours, dOurs := runUnary(t, func(x *gorgonia.Node) (*gorgonia.Node, error) { return Dropout(x, p, NewRandom(1), 0) }, slices.Clone(ones))
	if kept := slices.Max(stock); kept == slices.Max(dStock) {
		t.Fatalf("Gorgonia's gradient is %v like the value now", kept)
	}
	compare(t, "gradient of ones", dOurs, ours, 1e-15)
}

// TestFaultReshapeAliases: an in-place consumer of Gorgonia's Reshape changes
// x itself.
func TestFaultReshapeAliases(t *testing.T) {
	plusOne := func(reshape func(x *gorgonia.Node) (*gorgonia.Node, error)) unary {
		return func(x *gorgonia.Node) (*gorgonia.Node, error) {
			y, err := reshape(x)
			if err != nil {
				return nil, err
			}
			ones := tensor.Ones(tensor.Float64, 6)
			return gorgonia.Add(y, gorgonia.NewVector(x.Graph(), tensor.Float64, gorgonia.WithName("one"), gorgonia.WithShape(6), gorgonia.WithValue(ones)))
		}
	}
	x := []float64{1, 2, 3, 4, 5, 6}
	runUnary(t, plusOne(func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Reshape(x, tensor.Shape{6}) }), x)
	if x[0] == 1 {
		t.Fatal("Gorgonia's Reshape leaves x alone now")
	}
	x = []float64{1, 2, 3, 4, 5, 6}
	runUnary(t, plusOne(func(x *gorgonia.Node) (*gorgonia.Node, error) { return Reshape(x, 6) }), x)
	compare(t, "x after Reshape", x, []float64{1, 2, 3, 4, 5, 6}, 0)
}

// TestFaultRectifyAtZero: the usual derivative of max(x, 0) at 0 is 0.
func TestFaultRectifyAtZero(t *testing.T) {
	_, stock := runUnary(t, gorgonia.Rectify, []float64{-1, 0})
	_, ours := runUnary(t, ReLU, []float64{-1, 0})
	if stock[1] != 1 {
		t.Fatalf("Gorgonia's derivative at 0 is %v now", stock[1])
	}
	compare(t, "derivative of ReLU", ours, []float64{0, 0}, 0)
}
