package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// BenchmarkImages times every op of a graph, backward ones included, one by one,
// on 128 images of 64 channels of 32×32.
func BenchmarkImages(b *testing.B) {
	for name, build := range map[string]func(x, c *gorgonia.Node) (*gorgonia.Node, error){
		"batchNormRelu": func(x, c *gorgonia.Node) (*gorgonia.Node, error) {
			y, _, _, err := BatchNorm(x, c, c, 1e-5, ReLUAct)
			return y, err
		},
		"max":     func(x, _ *gorgonia.Node) (*gorgonia.Node, error) { return MaxPool2D(x, Pool{Kernel: [2]int{2, 2}}) },
		"average": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) { return AvgPool2D(x, Pool{Kernel: [2]int{2, 2}}) },
		"global":  func(x, _ *gorgonia.Node) (*gorgonia.Node, error) { return GlobalAvgPool2D(x) },
		"addRelu": func(x, _ *gorgonia.Node) (*gorgonia.Node, error) { return AddActivate(x, x, ReLUAct) },
	} {
		g := gorgonia.NewGraph()
		rng := rand.New(rand.NewPCG(1, 2))
		x, c := inputNode(g, randn(rng, 128, 64, 32, 32), tensor.Float32, "x"), inputNode(g, randn(rng, 64), tensor.Float32, "c")
		y, err := build(gorgonia.Must(Reshape(x, x.Shape()...)), c)
		if err != nil {
			b.Fatal(err)
		}
		dy := inputNode(g, randn(rng, y.Shape()...), tensor.Float32, "dy")
		if _, err := y.Op().(gorgonia.SDOp).SymDiff(children(g, y), y, dy); err != nil {
			b.Fatal(err)
		}
		values := map[*gorgonia.Node]gorgonia.Value{x: x.Value(), c: c.Value(), dy: dy.Value()}
		var value func(b *testing.B, n *gorgonia.Node) gorgonia.Value
		value = func(b *testing.B, n *gorgonia.Node) gorgonia.Value {
			if v, ok := values[n]; ok {
				return v
			}
			var in []gorgonia.Value
			for _, o := range children(g, n) {
				in = append(in, value(b, o))
			}
			b.Run(name+"/"+n.Op().String(), func(b *testing.B) {
				for b.Loop() {
					v, err := n.Op().Do(in...)
					if err != nil {
						b.Fatal(err)
					}
					values[n] = v
				}
			})
			return values[n]
		}
		for _, n := range g.AllNodes() {
			value(b, n)
		}
	}
}
