package apoops

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// TestOpsAllocateNothing runs every op of a graph, backward ones included, one
// by one: from the second run on no op may allocate.
func TestOpsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	type build = func(x, y, w, labels *gorgonia.Node) (*gorgonia.Node, error)
	of := func(f func(x *gorgonia.Node) (*gorgonia.Node, error)) build {
		return func(x, _, _, _ *gorgonia.Node) (*gorgonia.Node, error) { return f(x) }
	}
	pair := func(f func(x, y *gorgonia.Node) (*gorgonia.Node, error)) build {
		return func(x, y, _, _ *gorgonia.Node) (*gorgonia.Node, error) { return f(x, y) }
	}
	masks := NewRandom(1)
	builds := map[string]build{
		"softmax":    of(Softmax),
		"logSoftmax": of(LogSoftmax),
		"sum":        of(func(x *gorgonia.Node) (*gorgonia.Node, error) { return Sum(x, 0) }),
		"slice":      of(func(x *gorgonia.Node) (*gorgonia.Node, error) { return Slice(x, 1, 2, 3, 40) }),
		"columns":    of(func(x *gorgonia.Node) (*gorgonia.Node, error) { return SoftmaxAlong(x, 0) }),
		"log2":       of(Log2),
		"relu":       of(ReLU),
		"sigmoid":    of(Sigmoid),
		"tanh":       of(Tanh),
		"dropout":    of(func(x *gorgonia.Node) (*gorgonia.Node, error) { return Dropout(x, 0.5, masks, 1) }),
		"float16":    of(func(x *gorgonia.Node) (*gorgonia.Node, error) { return Cast16(x, Float16) }),
		"bfloat16":   of(func(x *gorgonia.Node) (*gorgonia.Node, error) { return Cast16(x, BFloat16) }),
		"positions": of(func(x *gorgonia.Node) (*gorgonia.Node, error) {
			y, err := AddPositions(x, 8, 1)
			if err != nil {
				return nil, err
			}
			return Tanh(y)
		}),
		"embed": func(x, _, _, labels *gorgonia.Node) (*gorgonia.Node, error) { return Embed(x, labels, 2, -1) },
		"crossEntropy": func(x, _, _, labels *gorgonia.Node) (*gorgonia.Node, error) {
			return SoftmaxCrossEntropy(x, labels)
		},
		"tokenCrossEntropy": func(x, _, _, labels *gorgonia.Node) (*gorgonia.Node, error) {
			return TokenCrossEntropy(x, labels, TokenSettings{Padding: -1, Smoothing: 0.1})
		},
		"tokenKL":        func(x, y, _, labels *gorgonia.Node) (*gorgonia.Node, error) { return TokenKL(x, y, labels, -1) },
		"tokenReverseKL": func(x, y, _, labels *gorgonia.Node) (*gorgonia.Node, error) { return TokenReverseKL(x, y, labels, -1) },
		"dense": func(x, _, w, _ *gorgonia.Node) (*gorgonia.Node, error) {
			h, err := Dense(x, w, ReLUAct)
			if err != nil {
				return nil, err
			}
			return Dense(h, w, TanhAct)
		},
	}
	for _, l := range pairLosses {
		builds[l.name] = pair(l.build)
	}
	const rows, cols = 40, 299 // several chunks of work for every op
	for name, b := range builds {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			g := gorgonia.NewGraph()
			node := func(name string, rows int) *gorgonia.Node {
				return gorgonia.NewMatrix(g, dt, gorgonia.WithShape(rows, cols), gorgonia.WithName(name))
			}
			x, y, w := node("x", rows), node("y", rows), node("w", cols+1)
			labels := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(rows), gorgonia.WithName("labels"))
			out, err := b(x, y, w, labels)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wrt := x
			if name == "dense" {
				wrt = w
			} else if d := out.Op().(gorgonia.SDOp).DiffWRT(2); len(d) == 2 && !d[0] {
				wrt = y
			}
			for range out.Dims() {
				out = gorgonia.Must(gorgonia.Sum(out, 0))
			}
			if _, err := gorgonia.Grad(out, wrt); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n := checkAllocations(t, g, dt); n < 2 && name != "float16" && name != "bfloat16" {
				t.Fatalf("%s: only %d ops were run", name, n)
			}
		}
	}
}

// TestImageOpsAllocateNothing does the same for the ops of convolutional nets.
func TestImageOpsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	const channels = 40
	type build = func(x, c *gorgonia.Node) (*gorgonia.Node, error)
	builds := map[string]build{
		"add": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) { return AddActivate(x, x, ReLUAct) },
		"add three": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) {
			return Add(x, gorgonia.Must(Tanh(x)), x)
		},
		"pad":       func(x, _ *gorgonia.Node) (*gorgonia.Node, error) { return Pad2D(x, 1, 2) },
		"subsample": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) { return Subsample(x, 2, 50) },
		"max halves": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) {
			return MaxPool2D(x, Pool{Kernel: [2]int{2, 2}})
		},
		"max": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) {
			return MaxPool2D(x, Pool{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}})
		},
		"average": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) {
			return AvgPool2D(x, Pool{Kernel: [2]int{2, 2}})
		},
		"global": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) { return GlobalAvgPool2D(x) },
		"batch norm": func(x, c *gorgonia.Node) (*gorgonia.Node, error) {
			y, _, _, err := BatchNorm(x, c, c, 1e-5, ReLUAct)
			return y, err
		},
		"batch norm with moments": func(x, c *gorgonia.Node) (*gorgonia.Node, error) {
			return BatchNormWith(x, c, c, c, c, 1e-5, TanhAct)
		},
	}
	for name, b := range builds {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			g := gorgonia.NewGraph()
			x := gorgonia.NewTensor(g, dt, 4, gorgonia.WithShape(8, channels, 16, 16), gorgonia.WithName("x"))
			c := gorgonia.NewVector(g, dt, gorgonia.WithShape(channels), gorgonia.WithName("c"))
			out, err := b(gorgonia.Must(Reshape(x, x.Shape()...)), c)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for range out.Dims() {
				out = gorgonia.Must(gorgonia.Sum(out, 0))
			}
			if _, err := gorgonia.Grad(out, x); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n := checkAllocations(t, g, dt); n < 4 {
				t.Fatalf("%s: only %d ops were run", name, n)
			}
		}
	}
}

// checkAllocations runs all ops of this package in g on operands made for
// them and returns their number.
func checkAllocations(t *testing.T, g *gorgonia.ExprGraph, dt tensor.Dtype) (ops int) {
	t.Helper()
	name, err := blas.Use()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.AllNodes() {
		o, ok := n.Op().(Cloner)
		if !ok {
			continue
		}
		ops++
		if name == "gonum" && strings.Contains(o.String(), "dense") {
			continue // gonum's products start goroutines, and so allocate
		}
		var in []gorgonia.Value
		for _, c := range children(g, n) {
			in = append(in, valueFor(c))
		}
		run := func() {
			if _, err := o.Do(in...); err != nil {
				t.Fatalf("%v: %v", o, err)
			}
		}
		run()
		if allocs := testing.AllocsPerRun(50, run); allocs != 0 {
			t.Errorf("%v of %v: %v allocations a run", o, dt, allocs)
		}
		switch o := o.(type) {
		case *op[float32]:
			checkOverwrites(t, o, in)
		case *op[float64]:
			checkOverwrites(t, o, in)
		}
	}
	return ops
}

// checkOverwrites runs an op on memory full of NaN, its own and another buffer: the
// bits of its result are those of its last run.
func checkOverwrites[T Float](t *testing.T, o *op[T], in []gorgonia.Value) {
	t.Helper()
	if o.BufferSize() == 0 {
		return
	}
	want := slices.Clone(o.a.out)
	for _, memory := range [][]T{o.a.out, make([]T, len(want))} {
		for i := range memory {
			memory[i] = T(math.NaN())
		}
		if err := o.SetBuffer(memory); err != nil {
			t.Fatalf("%v: %v", o, err)
		}
		v, err := o.Do(in...)
		if err != nil {
			t.Fatalf("%v: %v", o, err)
		}
		if v.Uintptr() != uintptr(unsafe.Pointer(&memory[0])) {
			t.Fatalf("%v: the result is not in the given buffer", o)
		}
		for i, w := range want {
			if memory[i] != w && (memory[i] == memory[i] || w == w) {
				t.Fatalf("%v: element %d is %v on old memory, %v before", o, i, memory[i], w)
			}
		}
	}
}

// valueFor makes a value of a node's type, of zeros or ones.
func valueFor(n *gorgonia.Node) gorgonia.Value {
	switch {
	case n.IsScalar() && n.Dtype() == tensor.Float32:
		return gorgonia.NewF32(1)
	case n.IsScalar():
		return gorgonia.NewF64(1)
	}
	return tensor.New(tensor.Of(n.Dtype()), tensor.WithShape(n.Shape()...))
}
