package apoops

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/half"
)

// TestConversions compares the conversions of slices with ToBits and FromBits: all bit
// patterns, and the float32s at and next to all numbers and midpoints.
func TestConversions(t *testing.T) {
	for _, f := range formats {
		bits := make([]uint16, 1<<16)
		for i := range bits {
			bits[i] = uint16(i)
		}
		x := make([]float32, len(bits))
		half.Expand(f, x, bits)
		for i, v := range x {
			if !sameFloat(float64(v), FromBits(f, bits[i])) {
				t.Fatalf("%v: %#04x expands to %v, not %v", f, i, v, FromBits(f, bits[i]))
			}
		}
		var all []float32
		for i, v := range x {
			all = append(all, v)
			if next := x[(i+1)%len(x)]; v == v && next == next {
				m := float32((float64(v) + float64(next)) / 2)
				all = append(all, m, math.Nextafter32(m, float32(inf)), math.Nextafter32(m, float32(math.Inf(-1))))
			}
		}
		all = append(all, math.MaxFloat32, math.SmallestNonzeroFloat32, 65504, 65519.996, 65520, -65520)
		packed := make([]uint16, len(all))
		half.Pack(f, packed, all)
		for i, v := range all {
			if want := ToBits(f, float64(v)); packed[i] != want {
				t.Fatalf("%v: %v packs to %#04x, not %#04x", f, v, packed[i], want)
			}
		}
		again := slices.Clone(all)
		half.Round(f, again)
		for i, v := range all {
			if want := Round16(f, v); !sameFloat(float64(again[i]), float64(want)) {
				t.Fatalf("%v: %v rounds to %v, not %v", f, v, again[i], want)
			}
		}
	}
}

// roundedCase is a graph of which all ops of this package are run.
type roundedCase struct {
	name  string
	build func(n func(shape ...int) *gorgonia.Node, ints func(below int, shape ...int) *gorgonia.Node) (*gorgonia.Node, error)
}

type nodes = func(shape ...int) *gorgonia.Node

func roundedCases() []roundedCase {
	type integers = func(below int, shape ...int) *gorgonia.Node
	var all []roundedCase
	add := func(name string, build func(n nodes, ints integers) (*gorgonia.Node, error)) {
		all = append(all, roundedCase{name, build})
	}
	of := func(name string, f func(x *gorgonia.Node) (*gorgonia.Node, error), shape ...int) {
		add(name, func(n nodes, _ integers) (*gorgonia.Node, error) {
			x, err := Times(n(shape...), 1) // computed, so that its gradient is wanted
			if err != nil {
				return nil, err
			}
			return f(x)
		})
	}
	masks := NewRandom(3)
	for name, f := range map[string]func(x *gorgonia.Node) (*gorgonia.Node, error){
		"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh, "softmax": Softmax, "logSoftmax": LogSoftmax, "log2": Log2,
		"leaky":     func(x *gorgonia.Node) (*gorgonia.Node, error) { return LeakyReLU(x, 0.1) },
		"root":      func(x *gorgonia.Node) (*gorgonia.Node, error) { return InverseSqrt(x) },
		"sparsemax": func(x *gorgonia.Node) (*gorgonia.Node, error) { return SparsemaxAlong(x, 1) },
		"columns":   func(x *gorgonia.Node) (*gorgonia.Node, error) { return SoftmaxAlong(x, 0) },
		"dropout":   func(x *gorgonia.Node) (*gorgonia.Node, error) { return Dropout(x, 0.5, masks, 1) },
		"cast":      func(x *gorgonia.Node) (*gorgonia.Node, error) { return Cast16(x, BFloat16) },
		"sum":       func(x *gorgonia.Node) (*gorgonia.Node, error) { return Sum(x, 0) },
		"max":       func(x *gorgonia.Node) (*gorgonia.Node, error) { return Max(x, 1) },
		"slice":     func(x *gorgonia.Node) (*gorgonia.Node, error) { return Slice(x, 1, 2, 2, 7) },
		"repeat":    func(x *gorgonia.Node) (*gorgonia.Node, error) { return Repeat(x, 0, 2, 6, 19) },
		"reshape":   func(x *gorgonia.Node) (*gorgonia.Node, error) { return Reshape(x, 19, 6) },
		"segment":   func(x *gorgonia.Node) (*gorgonia.Node, error) { return Segment(x, 5, 3, 4) },
		"concat":    func(x *gorgonia.Node) (*gorgonia.Node, error) { return Concat(1, x, x) },
		"add":       func(x *gorgonia.Node) (*gorgonia.Node, error) { return Add(x, x, x) },
		"residual":  func(x *gorgonia.Node) (*gorgonia.Node, error) { return AddActivate(x, x, ReLUAct) },
		"half norm": func(x *gorgonia.Node) (*gorgonia.Node, error) { return HalfSquaredNorm(x) },
		"positions": func(x *gorgonia.Node) (*gorgonia.Node, error) { return AddPositions(x, 3, 1) },
	} {
		of(name, f, 6, 19)
	}
	for _, l := range pairLosses {
		add(l.name, func(n nodes, _ integers) (*gorgonia.Node, error) {
			x, err := Times(n(6, 5), 1)
			if err != nil {
				return nil, err
			}
			return l.build(x, n(6, 5))
		})
	}
	of("parts", func(x *gorgonia.Node) (*gorgonia.Node, error) {
		y, err := AddActivate(x, x, ReLUAct)
		if err != nil {
			return nil, err
		}
		if y, err = Add(y, x); err != nil {
			return nil, err
		}
		return Product(y, x)
	}, 2, partSize+100)
	add("norm of columns", func(n nodes, ints integers) (*gorgonia.Node, error) {
		h, _, _, err := BatchNorm(n(40, 3), n(3), n(3), 1e-5, TanhAct)
		if err != nil {
			return nil, err
		}
		if h, _, _, err = BatchNorm(h, n(3), n(3), 1e-5, ReLUAct); err != nil {
			return nil, err
		}
		return SoftmaxCrossEntropy(h, ints(3, 40))
	})
	add("mlp", func(n nodes, ints integers) (*gorgonia.Node, error) {
		h, err := Dense(n(8, 5), n(6, 7), TanhAct)
		if err != nil {
			return nil, err
		}
		if h, err = Linear(h, n(7, 6), ReLUAct); err != nil {
			return nil, err
		}
		if h, err = Affine(h, n(6, 4), n(4), Identity); err != nil {
			return nil, err
		}
		if h, err = LinearTransposed(h, n(5, 4)); err != nil {
			return nil, err
		}
		return SoftmaxCrossEntropy(h, ints(5, 8))
	})
	add("tokens", func(n nodes, ints integers) (*gorgonia.Node, error) {
		h, err := Embed(n(9, 4), ints(9, 12), 2, 0)
		if err != nil {
			return nil, err
		}
		if h, err = LayerNorm(h, n(4), n(4), 1e-5); err != nil {
			return nil, err
		}
		if h, err = Attention(h, h, h, ints(4, 3), AttentionSettings{Examples: 3, Heads: 2, Causal: true, Dropout: 0.3, Random: masks, Stream: 4}); err != nil {
			return nil, err
		}
		return TokenCrossEntropy(h, ints(4, 12), TokenSettings{Padding: 0, Smoothing: 0.1})
	})
	add("token divergences", func(n nodes, ints integers) (*gorgonia.Node, error) {
		x, err := Times(n(12, 5), 1)
		if err != nil {
			return nil, err
		}
		labels := ints(5, 12)
		a, err := TokenKL(n(12, 5), x, labels, 0)
		if err != nil {
			return nil, err
		}
		b, err := TokenReverseKL(n(12, 5), x, labels, 0)
		if err != nil {
			return nil, err
		}
		return gorgonia.Add(a, b)
	})
	add("images", func(n nodes, ints integers) (*gorgonia.Node, error) {
		h, err := Conv2D(n(3, 2, 9, 9), n(19, 4), Conv{Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}})
		if err != nil {
			return nil, err
		}
		if h, _, _, err = BatchNorm(h, n(4), n(4), 1e-5, ReLUAct); err != nil {
			return nil, err
		}
		if h, err = Pad2D(h, 1, 0); err != nil {
			return nil, err
		}
		if h, err = MaxPool2D(h, Pool{Kernel: [2]int{3, 2}, Stride: [2]int{2, 1}}); err != nil {
			return nil, err
		}
		if h, err = Conv2D(h, n(37, 6), Conv{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Activation: TanhAct}); err != nil {
			return nil, err
		}
		if h, err = Subsample(h, 2, 8); err != nil {
			return nil, err
		}
		if h, err = AvgPool2D(h, Pool{Kernel: [2]int{1, 2}}); err != nil {
			return nil, err
		}
		if h, err = BatchNormWith(h, n(8), n(8), n(8), n(8), 1e-3, TanhAct); err != nil {
			return nil, err
		}
		if h, err = GlobalAvgPool2D(h); err != nil {
			return nil, err
		}
		return SoftmaxCrossEntropy(h, ints(8, 3))
	})
	add("convolutions", func(n nodes, ints integers) (*gorgonia.Node, error) {
		h, err := Conv2D(n(5, 3, 9, 8), n(28, 16), Conv{Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}, Activation: ReLUAct})
		if err != nil {
			return nil, err
		}
		if h, err = Conv2D(h, n(144, 20), Conv{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, NoBias: true}); err != nil {
			return nil, err
		}
		if h, err = Conv2D(h, n(21, 8), Conv{Kernel: [2]int{1, 1}, Activation: ReLUAct}); err != nil {
			return nil, err
		}
		if h, err = GlobalAvgPool2D(h); err != nil {
			return nil, err
		}
		return SoftmaxCrossEntropy(h, ints(8, 5))
	})
	add("take", func(n nodes, ints integers) (*gorgonia.Node, error) { return Take(n(4, 6), ints(6, 3), 1) })
	add("filters", func(n nodes, _ integers) (*gorgonia.Node, error) {
		w, err := FilterMatrix(n(4, 2, 3, 3), n(4))
		if err != nil {
			return nil, err
		}
		return Conv2D(n(2, 2, 5, 5), w, Conv{Kernel: [2]int{3, 3}, Activation: ReLUAct})
	})
	add("lookaheads", func(n nodes, _ integers) (*gorgonia.Node, error) {
		g := n(5, 4)
		u, err := Precondition(n(4, 4), n(5, 5), n(5, 4), g)
		if err != nil {
			return nil, err
		}
		moved, err := Lookahead(n(5, 4), u)
		if err != nil {
			return nil, err
		}
		if u, err = PreconditionDiagonal(n(5, 4), moved); err != nil {
			return nil, err
		}
		if moved, err = RateStep(moved, u, n(), n(), false); err != nil {
			return nil, err
		}
		if moved, err = Minus(moved, g); err != nil {
			return nil, err
		}
		return Product(moved, g)
	})
	for name, update := range map[string]func(n nodes) (*gorgonia.Node, error){
		"kronecker": func(n nodes) (*gorgonia.Node, error) { return Precondition(n(4, 4), n(5, 5), n(5, 4), n(5, 4)) },
		"diagonal":  func(n nodes) (*gorgonia.Node, error) { return PreconditionDiagonal(n(5, 4), n(5, 4)) },
		"low rank": func(n nodes) (*gorgonia.Node, error) {
			return PreconditionLowRank(n(5, 4), 1, n(5, 1), n(1, 1), n(1), n(4, 1), n(1, 1), n(1))
		},
		"relative": func(n nodes) (*gorgonia.Node, error) {
			return PreconditionRelative(n(4, 4), n(5, 5), n(5, 4), n(5, 4), n(4, 4), n(5, 5))
		},
		"full": func(n nodes) (*gorgonia.Node, error) { return PreconditionFull(n(20, 20), n(5, 4)) },
		"rates": func(n nodes) (*gorgonia.Node, error) {
			return RateStep(n(5, 4), n(5, 4), n(), n(), false)
		},
	} {
		add(name, func(n nodes, _ integers) (*gorgonia.Node, error) {
			u, err := update(n)
			if err != nil {
				return nil, err
			}
			norm, err := HalfSquaredNorm(u)
			if err != nil {
				return nil, err
			}
			moved, err := ScaledLookahead(n(5, 4), u, n())
			if err != nil {
				return nil, err
			}
			rest, err := InnerProduct(moved, n(5, 4), 0.5)
			if err != nil {
				return nil, err
			}
			return gorgonia.Add(norm, rest)
		})
	}
	add("rate discrepancy", func(n nodes, _ integers) (*gorgonia.Node, error) {
		return RateWSD(n(), n(), false, gorgonia.Nodes{n(5, 4), n(3)}, nil, nil)
	})
	for name, draw := range map[string]func(y *gorgonia.Node, noise *Random) (*gorgonia.Node, error){
		"sample of normals": SampleNormal, "sample of bits": SampleBernoulli, "probe of classes": ProbeCategorical,
		"probe of bits": ProbeBernoulli, "probe of squares": ProbeSquared,
	} {
		of(name, func(x *gorgonia.Node) (*gorgonia.Node, error) {
			q, err := draw(x, masks)
			if err != nil {
				return nil, err
			}
			return InnerProduct(x, q, 0.25)
		}, 6, 5)
	}
	of("statistics of layers", func(x *gorgonia.Node) (*gorgonia.Node, error) {
		rows, err := LayerRows([]RowFactors{{Factors: Factors{A: x, S: x, Bias: true}, BiasRow: true}}, RowSettings{Examples: 6})
		if err != nil {
			return nil, err
		}
		moment, err := InputMoment(Factors{A: rows}, nil)
		if err != nil {
			return nil, err
		}
		squares, err := ScaledSquares(2, 6, 6, moment)
		if err != nil {
			return nil, err
		}
		all, err := InnerProduct(squares, squares, 1)
		if err != nil {
			return nil, err
		}
		l, err := LogSumExp(x)
		if err != nil {
			return nil, err
		}
		if l, err = Sum(l, 0); err != nil {
			return nil, err
		}
		return gorgonia.Add(all, l)
	}, 6, 5)
	add("bias of filters", func(n nodes, _ integers) (*gorgonia.Node, error) {
		s, err := Times(n(2, 4, 3, 3), 1)
		if err != nil {
			return nil, err
		}
		return ConvBiasGradient(Factors{S: s, Y: s, Conv: &Conv{Activation: TanhAct}}, 4)
	})
	add("step of attention", func(n nodes, ints integers) (*gorgonia.Node, error) {
		return AttentionStep(n(3, 4), n(3, 4), n(3, 4), n(6, 4), n(6, 4), ints(2, 3), 2)
	})
	return all
}

// world is a graph whose ops of this package are run one by one.
type world struct {
	nodes  gorgonia.Nodes
	values map[*gorgonia.Node]gorgonia.Value
}

func newWorld(t *testing.T, c roundedCase) world {
	t.Helper()
	g := gorgonia.NewGraph()
	w := world{values: make(map[*gorgonia.Node]gorgonia.Value)}
	rng := rand.New(rand.NewPCG(15, 1))
	var leaves gorgonia.Nodes
	float := func(shape ...int) *gorgonia.Node {
		name := gorgonia.WithName(fmt.Sprintf("leaf%d", len(leaves)))
		if len(shape) == 0 {
			n := gorgonia.NewScalar(g, tensor.Float32, name)
			leaves, w.values[n] = append(leaves, n), gorgonia.NewF32(rng.Float32())
			return n
		}
		n := gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), name)
		x := make([]float32, tensor.Shape(shape).TotalSize())
		for i := range x {
			x[i] = rng.Float32() + 0.01 // what losses and logarithms take
		}
		leaves, w.values[n] = append(leaves, n), tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
		return n
	}
	ints := func(below int, shape ...int) *gorgonia.Node {
		n := gorgonia.NewTensor(g, tensor.Int, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprintf("ints%d", len(w.values))))
		x := make([]int, tensor.Shape(shape).TotalSize())
		for i := range x {
			x[i] = rng.IntN(below)
		}
		w.values[n] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
		return n
	}
	out, err := c.build(float, ints)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	for range out.Dims() {
		if out, err = Sum(out, 0); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	var wrt gorgonia.Nodes
	for _, n := range leaves {
		if hasGradient(out, n) {
			wrt = append(wrt, n)
		}
	}
	if len(wrt) > 0 {
		if _, err := gorgonia.Grad(out, wrt...); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	w.nodes = g.AllNodes()
	slices.SortFunc(w.nodes, func(a, b *gorgonia.Node) int { return int(a.ID() - b.ID()) })
	return w
}

// hasGradient reports whether out depends on n by ops with a gradient.
func hasGradient(out, n *gorgonia.Node) bool {
	if out == n {
		return true
	}
	op, ok := out.Op().(gorgonia.SDOp)
	if !ok {
		return false
	}
	operands := Operands(out)
	for i, d := range op.DiffWRT(len(operands)) {
		if d && hasGradient(operands[i], n) {
			return true
		}
	}
	return false
}

// step runs the op of a node.
func (w world) step(t *testing.T, n *gorgonia.Node) gorgonia.Value {
	t.Helper()
	v, err := n.Op().Do(w.operands(n)...)
	if err != nil {
		t.Fatalf("%v: %v", n.Op(), err)
	}
	w.values[n] = v
	return v
}

// meaningOf are the numbers of a value, those of packed arrays in the format.
func meaningOf(f Format, v gorgonia.Value) []float64 {
	a, ok := v.(*tensor.Dense)
	if !ok {
		x, _ := Number(v)
		return []float64{x}
	}
	var x []float64
	if a.Dtype() == tensor.Uint16 {
		for _, b := range a.Uint16s() {
			x = append(x, FromBits(f, b))
		}
		return x
	}
	for _, v := range a.Float32s() {
		x = append(x, float64(v))
	}
	return x
}

// TestRoundedOps runs graphs of all ops, their gradients included, op by op: the result
// of one on packed operands, and that of one that rounds arrays of float32, is what it
// computes by itself on the same numbers, rounded. Each bit is compared, but where an op
// computes on bits of bfloat16 and adds up in another order the two that round, which are
// equal, may be one unit in the last place from it.
func TestRoundedOps(t *testing.T) {
	seen, bits := make(map[string]bool), make(map[string]bool)
	for _, c := range roundedCases() {
		for _, f := range formats {
			alone, rounded, packed := newWorld(t, c), newWorld(t, c), newWorld(t, c)
			for i, n := range alone.nodes {
				op, ok := n.Op().(Rounder)
				if n.Op() == nil {
					continue
				}
				want := alone.step(t, n)
				if !ok { // of Gorgonia's: numbers in 32 bits
					rounded.step(t, rounded.nodes[i])
					w := world{values: make(map[*gorgonia.Node]gorgonia.Value)}
					for _, o := range Operands(packed.nodes[i]) {
						w.values[o] = unpacked(f, packed.values[o])
					}
					packed.values[packed.nodes[i]] = w.step(t, packed.nodes[i])
					continue
				}
				kind := strings.Split(op.String(), "(")[0]
				if seen[kind] = true; onBits(f, n) {
					bits[kind] = true
				}
				for k, w := range map[Keeping]world{KeepRounded: rounded, KeepPacked: packed} {
					r := w.nodes[i].Op().(Rounder)
					if err := r.RoundResult(f, k); err != nil {
						t.Fatal(err)
					}
					w.step(t, w.nodes[i])
				}
				compareRounded(t, c.name, f, n, want, rounded.values[rounded.nodes[i]], packed.values[packed.nodes[i]])
				alone.values[n] = unpacked(f, packed.values[packed.nodes[i]]) // rounded
			}
		}
	}
	if len(seen) < 130 {
		t.Errorf("only %d kinds of ops were run", len(seen))
	}
	if dnn.BFloat16() == nil && len(bits) < 9 {
		t.Errorf("only %v ran on bits of bfloat16", slices.Collect(maps.Keys(bits)))
	}
}

// unpacked is a value as an array of float32 of its own.
func unpacked(f Format, v gorgonia.Value) gorgonia.Value {
	a, ok := v.(*tensor.Dense)
	if !ok || a.Dtype() == tensor.Int {
		return v
	}
	var x []float32
	for _, v := range meaningOf(f, a) {
		x = append(x, float32(v))
	}
	return tensor.New(tensor.WithShape(a.Shape()...), tensor.WithBacking(x))
}

func compareRounded(t *testing.T, name string, f Format, n *gorgonia.Node, alone, rounded, packed gorgonia.Value) {
	t.Helper()
	if a, ok := alone.(*tensor.Dense); ok && a.Dtype() == tensor.Int {
		return
	}
	_, kept := kernelOf(n.Op()).(exact)
	_, persists := kernelOf(n.Op()).(persistent)
	kept = kept || persists
	if a, ok := packed.(*tensor.Dense); ok != !n.IsScalar() || ok && (a.Dtype() == tensor.Uint16) == kept {
		t.Fatalf("%s, %v: %v is a %T of %v", name, f, n.Op(), packed, packed.Dtype())
	}
	want := meaningOf(f, alone)
	got, bits := meaningOf(f, rounded), meaningOf(f, packed)
	ordered := !onBits(f, n)
	for i, x := range want {
		if !n.IsScalar() && !kept {
			x = Round16(f, x)
		}
		if !ordered && sameFloat(got[i], bits[i]) && distance([]float32{float32(got[i])}, []float32{float32(x)}) <= 1 {
			continue
		}
		if !sameFloat(got[i], x) || !sameFloat(bits[i], x) {
			t.Fatalf("%s, %v: element %d of %v is %v, packed %v, not %v", name, f, i, n.Op(), got[i], bits[i], x)
		}
	}
}

// onBits reports whether an op computes on bits of bfloat16.
func onBits(f Format, n *gorgonia.Node) bool {
	k, ok := kernelOf(n.Op()).(bitwise[float32])
	return ok && f == BFloat16 && k.takesBits(&args[float32]{shapes: n.Op().(*op[float32]).built})
}

// allocations is the least number a run of three measurements: what other goroutines of
// the process allocate counts too, and a collection empties the pools of scratch memory.
func allocations(run func()) float64 {
	return min(testing.AllocsPerRun(50, run), testing.AllocsPerRun(50, run), testing.AllocsPerRun(50, run))
}

// TestRoundedOpsAllocateNothing runs ops on packed operands, with packed results, in
// memory of their own and in given memory full of other bits.
func TestRoundedOpsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	name, err := blas.Use()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range roundedCases() {
		for _, f := range formats {
			checkRoundedAllocations(t, c, f, name)
		}
	}
}

func checkRoundedAllocations(t *testing.T, c roundedCase, f Format, name string) {
	t.Helper()
	w := newWorld(t, c)
	for _, n := range w.nodes {
		op, ok := n.Op().(Rounder)
		if n.Op() == nil {
			continue
		}
		if !ok {
			for _, o := range Operands(n) {
				w.values[o] = unpacked(f, w.values[o])
			}
			w.step(t, n)
			continue
		}
		if err := op.RoundResult(f, KeepPacked); err != nil {
			t.Fatal(err)
		}
		v := w.step(t, n)
		if name == "gonum" || strings.Contains(op.String(), "lowRank") {
			continue // whose products start goroutines, and so allocate
		}
		in := w.operands(n)
		run := func() {
			if _, err := op.Do(in...); err != nil {
				t.Fatal(err)
			}
		}
		if allocs := allocations(run); allocs != 0 {
			t.Errorf("%s: %v: %v allocations a run", c.name, op, allocs)
		}
		b, ok := BufferOf[uint16](op)
		if a, array := v.(*tensor.Dense); ok != (array && a.Dtype() == tensor.Uint16) {
			t.Fatalf("%s: %v has a buffer of 16 bits: %v", c.name, op, ok)
		}
		if !ok {
			continue
		}
		want := slices.Clone(v.(*tensor.Dense).Uint16s())
		memory := slices.Repeat([]uint16{0x7fff}, b.BufferSize()) // NaNs
		if err := b.SetBuffer(memory); err != nil || op.BufferSize() != 0 || b.SetBuffer(memory[1:]) == nil {
			t.Fatalf("%s: %v: a buffer of 16 bits and one of %d: %v", c.name, op, op.BufferSize(), err)
		}
		w.step(t, n)
		if !slices.Equal(memory, want) {
			t.Fatalf("%s: %v: other bits in a given buffer", c.name, op)
		}
	}
}

func (w world) operands(n *gorgonia.Node) (in []gorgonia.Value) {
	for _, c := range Operands(n) {
		in = append(in, w.values[c])
	}
	return in
}

// TestBitsAreOfTheFormat: a product of operands that are no numbers of bfloat16 is that of
// float32, rounded.
func TestBitsAreOfTheFormat(t *testing.T) {
	g := gorgonia.NewGraph()
	var in []gorgonia.Value
	var leaves gorgonia.Nodes
	rng := rand.New(rand.NewPCG(15, 2))
	for i, shape := range []tensor.Shape{{40, 30}, {30, 20}} {
		x := make([]float32, shape.TotalSize())
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		in = append(in, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x)))
		leaves = append(leaves, gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprint(i))))
	}
	run := func(keep Keeping) []float64 {
		op := gorgonia.Must(Linear(leaves[0], leaves[1], Identity)).Op().(Rounder)
		if err := op.RoundResult(BFloat16, keep); err != nil {
			t.Fatal(err)
		}
		v, err := op.Do(in...)
		if err != nil {
			t.Fatal(err)
		}
		return meaningOf(BFloat16, v)
	}
	single := run(KeepSingle)
	for _, keep := range []Keeping{KeepRounded, KeepPacked} {
		for i, x := range run(keep) {
			if want := Round16(BFloat16, single[i]); x != want {
				t.Fatalf("kept as %d: element %d is %v, not %v", keep, i, x, want)
			}
		}
	}
}

// TestRoundedWeightGradient: it has the bits of an op that rounds, at any scale.
func TestRoundedWeightGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 3))
	const rows, n, m = 300, 31, 17
	for _, f := range formats {
		random := func(size int) []float32 {
			x := make([]float32, size)
			for i := range x {
				x[i] = Round16(f, float32(rng.NormFloat64()))
			}
			return x
		}
		x, dz := random(rows*n), random(rows*m)
		for bias := range 2 {
			g := gorgonia.NewGraph()
			node := func(name string, columns int) *gorgonia.Node {
				return gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(rows, columns), gorgonia.WithName(name))
			}
			op := gorgonia.Must(apply(&denseGradW[float32]{bias: bias}, node("x", n), node("dz", m))).Op().(Rounder)
			if err := op.RoundResult(f, KeepRounded); err != nil {
				t.Fatal(err)
			}
			want, err := op.Do(tensor.New(tensor.WithShape(rows, n), tensor.WithBacking(x)), tensor.New(tensor.WithShape(rows, m), tensor.WithBacking(dz)))
			if err != nil {
				t.Fatal(err)
			}
			for _, scale := range []float64{1, 1024} {
				got := make([]float32, (n+bias)*m)
				RoundedWeightGradient(f, scale, got, x, dz, rows)
				if !slices.Equal(got, want.(*tensor.Dense).Float32s()) {
					t.Errorf("%v, %d rows of biases, scale %v: other bits", f, bias, scale)
				}
			}
		}
	}
}

// TestRoundResultRefuses: formats that are unknown, results of float64, and packed
// operands of ops that were not told of a format.
func TestRoundResultRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	op := func(dt tensor.Dtype, name string) Rounder {
		x := gorgonia.NewVector(g, dt, gorgonia.WithShape(4), gorgonia.WithName(name))
		return gorgonia.Must(Tanh(x)).Op().(Rounder)
	}
	single := op(tensor.Float32, "x")
	if err := single.RoundResult(5, KeepPacked); err == nil {
		t.Error("an unknown format was accepted")
	}
	if err := op(tensor.Float64, "y").RoundResult(Float16, KeepRounded); !errors.Is(err, ErrDtype) {
		t.Errorf("float64: %v", err)
	}
	bits := tensor.New(tensor.WithShape(4), tensor.WithBacking(make([]uint16, 4)))
	if _, err := single.Do(bits); !errors.Is(err, ErrDtype) {
		t.Errorf("packed operands of an op of 32 bits: %v", err)
	}
}
