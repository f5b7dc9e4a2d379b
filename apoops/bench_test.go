package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// benchmarkDo times the op that build makes of a float32 input of the given
// shape, values drawn from N(0, 4).
func benchmarkDo(b *testing.B, build func(x *gorgonia.Node) (*gorgonia.Node, error), shape ...int) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName("x"))
	y, err := build(x)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range data {
		data[i] = float32(2 * rng.NormFloat64())
	}
	in := []gorgonia.Value{tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))}
	b.SetBytes(int64(4 * len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := y.Op().Do(in...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSigmoid(b *testing.B) { benchmarkDo(b, Sigmoid, 1e6) }
func BenchmarkTanh(b *testing.B)    { benchmarkDo(b, Tanh, 1e6) }

func BenchmarkSoftmax10(b *testing.B)  { benchmarkDo(b, Softmax, 1e5, 10) }
func BenchmarkSoftmax10k(b *testing.B) { benchmarkDo(b, Softmax, 100, 1e4) }
func BenchmarkDropout(b *testing.B) {
	benchmarkDo(b, func(x *gorgonia.Node) (*gorgonia.Node, error) { return Dropout(x, 0.3, NewMasks(1), 0) }, 1e6)
}
func BenchmarkCast16(b *testing.B) {
	benchmarkDo(b, func(x *gorgonia.Node) (*gorgonia.Node, error) { return Cast16(x, BFloat16) }, 1e6)
}
