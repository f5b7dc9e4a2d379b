package apoops

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
)

func evenConv(k, stride, pad, dilation int) Conv {
	return Conv{Kernel: [2]int{k, k}, Stride: [2]int{stride, stride}, Pad: [2]int{pad, pad}, Dilation: [2]int{dilation, dilation}}
}

// TestConv2D compares values with the definition and gradients with central
// differences, for every geometry with and without bias and activation.
func TestConv2D(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	identity := func(v float64) float64 { return v }
	relu := func(v float64) float64 { return max(v, 0) }
	for _, c := range convtest.Cases {
		for _, variant := range []struct {
			noBias bool
			act    Activation
			f      func(float64) float64
		}{{false, Identity, identity}, {true, Identity, identity}, {false, ReLUAct, relu}, {true, ReLUAct, relu}} {
			conv := Conv{Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation, NoBias: variant.noBias, Activation: variant.act}
			rows := c.Shape[1]*conv.Kernel[0]*conv.Kernel[1] + conv.bias()
			opTest{
				name: fmt.Sprintf("%s, %v", c.Name, conv),
				build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
					x, err := Reshape(in[0], c.Shape...)
					if err != nil {
						return nil, err
					}
					return Conv2D(x, in[1], conv)
				},
				inputs: []*tensor.Dense{randn(rng, c.Shape...), randn(rng, rows, c.Outputs)},
				wrt:    []int{0, 1},
				want: func(in [][]float64) []float64 {
					return c.Direct(in[0], in[1], !conv.NoBias, variant.f)
				},
			}.run(t)
		}
	}
}

func TestConv2DOfInputHasNoGradient(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(2, 1, 4, 4), gorgonia.WithName("x"))
	w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(10, 3), gorgonia.WithName("w"))
	y := gorgonia.Must(Conv2D(x, w, evenConv(3, 1, 1, 1)))
	if y.Op().(gorgonia.SDOp).DiffWRT(2)[0] {
		t.Error("the gradient with respect to the input of the graph would be computed")
	}
}

func TestConv2DMistakesAreErrors(t *testing.T) {
	for _, c := range []struct {
		x, w []int
		conv Conv
		want string
	}{
		{[]int{2, 3, 4, 4}, []int{28, 5}, Conv{}, "kernel"},
		{[]int{2, 3, 4, 4}, []int{27, 5}, evenConv(3, 1, 1, 1), "28 rows"},
		{[]int{2, 3, 4, 4}, []int{76, 5}, evenConv(5, 1, 0, 1), "larger than x"},
		{[]int{2, 3, 4, 4}, []int{28, 5}, evenConv(3, 1, 0, 2), "larger than x"},
		{[]int{2, 3, 4, 4}, []int{28, 5}, evenConv(3, -1, 1, 1), "stride"},
		{[]int{2, 3, 4, 4}, []int{28, 5}, evenConv(3, 1, -1, 1), "padding"},
		{[]int{2, 3, 4}, []int{28, 5}, evenConv(3, 1, 1, 1), "images"},
		{[]int{2, 3, 4, 4}, []int{28}, evenConv(3, 1, 1, 1), "W"},
		{[]int{2, 3, 4, 4}, []int{28, 5}, Conv{Kernel: [2]int{3, 3}, Activation: 9}, "activation"},
	} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewTensor(g, tensor.Float32, len(c.x), gorgonia.WithShape(c.x...), gorgonia.WithName("x"))
		w := gorgonia.NewTensor(g, tensor.Float32, len(c.w), gorgonia.WithShape(c.w...), gorgonia.WithName("w"))
		if _, err := Conv2D(x, w, c.conv); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("x %v, W %v, %v: %v, want an error about %q", c.x, c.w, c.conv, err, c.want)
		}
	}
	if _, err := Conv2D(nil, nil, Conv{}); err == nil {
		t.Error("nil operands were accepted")
	}
}
