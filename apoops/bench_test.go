package apoops

import (
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// benchmarkOp times the float32 op that build makes of x and y of the given
// shape and of labels for their rows. The values of x are from N(0, 4), those of
// y differ by N(0, 0.01²). With backward
// it times the op's gradient instead.
func benchmarkOp(b *testing.B, build func(x, y, labels *gorgonia.Node) (*gorgonia.Node, error), backward bool, shape ...int) {
	g := gorgonia.NewGraph()
	rng := rand.New(rand.NewPCG(1, 2))
	x, y := randn(rng, shape...), randn(rng, shape...)
	for i := range x.Float64s() {
		x.Float64s()[i] *= 2
		y.Float64s()[i] = x.Float64s()[i] + 0.01*y.Float64s()[i]
	}
	if strings.Contains(b.Name(), "bernoulliCrossEntropy") {
		y = lossNamed("bernoulliCrossEntropy").inputs(rng, shape...)[1]
	}
	node, err := build(inputNode(g, x, tensor.Float32, "x"), inputNode(g, y, tensor.Float32, "y"), inputNode(g, ints(make([]int, shape[0])...), tensor.Int, "labels"))
	if err != nil {
		b.Fatal(err)
	}
	if backward {
		dout := inputNode(g, tensor.New(tensor.FromScalar(1.)), tensor.Float32, "dout")
		d, err := node.Op().(gorgonia.SDOp).SymDiff(children(g, node), node, dout)
		if err != nil {
			b.Fatal(err)
		}
		for _, n := range d {
			if n != nil {
				node = n
			}
		}
	}
	var in []gorgonia.Value
	for _, c := range children(g, node) {
		in = append(in, c.Value())
	}
	b.SetBytes(int64(4 * x.DataSize()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := node.Op().Do(in...); err != nil {
			b.Fatal(err)
		}
	}
}

func children(g *gorgonia.ExprGraph, n *gorgonia.Node) (in gorgonia.Nodes) {
	for c := g.From(n.ID()); c.Next(); {
		in = append(in, c.Node().(*gorgonia.Node))
	}
	return in
}

func benchmarkUnary(b *testing.B, f unary, shape ...int) {
	benchmarkOp(b, func(x, _, _ *gorgonia.Node) (*gorgonia.Node, error) { return f(x) }, false, shape...)
}

func BenchmarkSigmoid(b *testing.B)    { benchmarkUnary(b, Sigmoid, 1e6) }
func BenchmarkTanh(b *testing.B)       { benchmarkUnary(b, Tanh, 1e6) }
func BenchmarkSoftmax10(b *testing.B)  { benchmarkUnary(b, Softmax, 1e5, 10) }
func BenchmarkSoftmax10k(b *testing.B) { benchmarkUnary(b, Softmax, 100, 1e4) }
func BenchmarkLogSoftmax(b *testing.B) { benchmarkUnary(b, LogSoftmax, 100, 1e4) }

func BenchmarkDropout(b *testing.B) {
	benchmarkUnary(b, func(x *gorgonia.Node) (*gorgonia.Node, error) { return Dropout(x, 0.3, NewRandom(1), 0) }, 1e6)
}

func BenchmarkCast16(b *testing.B) {
	benchmarkUnary(b, func(x *gorgonia.Node) (*gorgonia.Node, error) { return Cast16(x, BFloat16) }, 1e6)
}

func BenchmarkSoftmaxCrossEntropy(b *testing.B) {
	build := func(x, _, labels *gorgonia.Node) (*gorgonia.Node, error) { return SoftmaxCrossEntropy(x, labels) }
	b.Run("10", func(b *testing.B) { benchmarkOp(b, build, false, 1e5, 10) })
	b.Run("10k", func(b *testing.B) { benchmarkOp(b, build, false, 100, 1e4) })
	b.Run("10/backward", func(b *testing.B) { benchmarkOp(b, build, true, 1e5, 10) })
	b.Run("10k/backward", func(b *testing.B) { benchmarkOp(b, build, true, 100, 1e4) })
}

func BenchmarkPairLosses(b *testing.B) {
	for _, l := range pairLosses {
		build := func(x, y, _ *gorgonia.Node) (*gorgonia.Node, error) { return l.build(x, y) }
		b.Run(l.name, func(b *testing.B) { benchmarkOp(b, build, false, 1e4, 100) })
		b.Run(l.name+"/backward", func(b *testing.B) { benchmarkOp(b, build, true, 1e4, 100) })
	}
}
