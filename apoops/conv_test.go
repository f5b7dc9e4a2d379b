package apoops

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// directConv is the definition of a convolution.
func directConv(x, w []float64, s tensor.Shape, outputs int, c Conv, act func(float64) float64) []float64 {
	c = c.filled()
	oh, ow := c.OutSize(s[2], s[3])
	kh, kw := c.Kernel[0], c.Kernel[1]
	var y []float64
	for n := range s[0] {
		for o := range outputs {
			for i := range oh {
				for j := range ow {
					var sum float64
					for ch := range s[1] {
						for r := range kh {
							for q := range kw {
								a, b := i*c.Stride[0]-c.Pad[0]+r*c.Dilation[0], j*c.Stride[1]-c.Pad[1]+q*c.Dilation[1]
								if a >= 0 && a < s[2] && b >= 0 && b < s[3] {
									sum += x[((n*s[1]+ch)*s[2]+a)*s[3]+b] * w[((ch*kh+r)*kw+q)*outputs+o]
								}
							}
						}
					}
					if !c.NoBias {
						sum += w[s[1]*kh*kw*outputs+o]
					}
					y = append(y, act(sum))
				}
			}
		}
	}
	return y
}

// convCase is a geometry with a name, used for all tests of convolutions.
type convCase struct {
	name    string
	shape   []int
	outputs int
	conv    Conv
}

func evenConv(k, stride, pad, dilation int) Conv {
	return Conv{Kernel: [2]int{k, k}, Stride: [2]int{stride, stride}, Pad: [2]int{pad, pad}, Dilation: [2]int{dilation, dilation}}
}

var convCases = []convCase{
	{"3x3", []int{3, 2, 5, 6}, 4, evenConv(3, 1, 1, 1)},
	{"valid 3x3", []int{2, 3, 4, 5}, 2, evenConv(3, 0, 0, 0)},
	{"stride 2", []int{3, 2, 7, 6}, 3, evenConv(3, 2, 1, 1)},
	{"dilation 2", []int{2, 2, 7, 8}, 3, evenConv(3, 1, 2, 2)},
	{"stride and dilation", []int{2, 1, 9, 8}, 2, evenConv(2, 3, 1, 3)},
	{"1x1", []int{3, 4, 3, 5}, 2, evenConv(1, 1, 0, 1)},
	{"1x1 of one position", []int{5, 4, 1, 1}, 2, evenConv(1, 1, 0, 1)},
	{"1x1, stride 2", []int{3, 4, 5, 4}, 2, evenConv(1, 2, 0, 1)},
	{"1x1, padded", []int{2, 2, 2, 3}, 2, evenConv(1, 1, 1, 1)},
	{"oblong", []int{2, 2, 6, 5}, 3, Conv{Kernel: [2]int{1, 3}, Stride: [2]int{2, 1}, Pad: [2]int{0, 2}, Dilation: [2]int{1, 2}}},
	{"whole image", []int{3, 2, 4, 3}, 5, Conv{Kernel: [2]int{4, 3}}},
	{"padding beyond the image", []int{2, 1, 2, 2}, 2, evenConv(3, 1, 4, 1)},
	{"one of each", []int{1, 1, 1, 1}, 1, evenConv(1, 1, 0, 1)},
}

// TestConv2D compares values with the definition and gradients with central
// differences, for every geometry with and without bias and activation.
func TestConv2D(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	identity := func(v float64) float64 { return v }
	relu := func(v float64) float64 { return max(v, 0) }
	for _, c := range convCases {
		for _, variant := range []struct {
			noBias bool
			act    Activation
			f      func(float64) float64
		}{{false, Identity, identity}, {true, Identity, identity}, {false, ReLUAct, relu}, {true, ReLUAct, relu}} {
			conv := c.conv
			conv.NoBias, conv.Activation = variant.noBias, variant.act
			rows := c.shape[1]*conv.Kernel[0]*conv.Kernel[1] + conv.bias()
			opTest{
				name: fmt.Sprintf("%s, %v", c.name, conv),
				build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
					x, err := Reshape(in[0], c.shape...)
					if err != nil {
						return nil, err
					}
					return Conv2D(x, in[1], conv)
				},
				inputs: []*tensor.Dense{randn(rng, c.shape...), randn(rng, rows, c.outputs)},
				wrt:    []int{0, 1},
				want: func(in [][]float64) []float64 {
					return directConv(in[0], in[1], c.shape, c.outputs, conv, variant.f)
				},
			}.run(t)
		}
	}
}

// TestConv2DGroups checks that images do not depend on how many are in a group:
// enough images for several groups in every pass.
func TestConv2DGroups(t *testing.T) {
	for _, c := range []convCase{
		{"small images", []int{70, 3, 6, 6}, 5, evenConv(3, 1, 1, 1)},
		{"1x1", []int{300, 4, 4, 4}, 3, evenConv(1, 1, 0, 1)},
		{"1x1 of large images", []int{5, 4, 48, 48}, 3, evenConv(1, 1, 0, 1)},
		{"large images", []int{5, 2, 50, 44}, 3, evenConv(3, 1, 1, 1)},
		{"many rows", []int{9, 128, 16, 16}, 2, evenConv(5, 1, 2, 1)},
	} {
		rng := rand.New(rand.NewPCG(7, 1))
		s := tensor.Shape(c.shape)
		rows := s[1] * c.conv.Kernel[0] * c.conv.Kernel[1]
		x, w := randn(rng, s...).Float64s(), randn(rng, rows+1, c.outputs).Float64s()
		k := newIm2col[float64](c.conv, s, c.outputs)
		y := make([]float64, s[0]*c.outputs*k.positions)
		dz := randn(rng, len(y)).Float64s()
		dx, dw := make([]float64, len(x)), make([]float64, len(w))
		for range 2 { // the second time in memory that is not zero
			if k.forward(x, w, y) != nil || k.gradX(dz, nil, w, dx) != nil || k.gradW(x, dz, nil, dw) != nil {
				t.Fatal("an error")
			}
		}
		sum := make([]float64, len(w))
		one := newIm2col[float64](c.conv, tensor.Shape{1, s[1], s[2], s[3]}, c.outputs)
		in, out := one.imageSize, c.outputs*one.positions
		gotY, gotX, gotW := make([]float64, out), make([]float64, in), make([]float64, len(w))
		for n := range s[0] {
			image, dout := x[n*in:(n+1)*in], dz[n*out:(n+1)*out]
			if one.forward(image, w, gotY) != nil || one.gradX(dout, nil, w, gotX) != nil || one.gradW(image, dout, nil, gotW) != nil {
				t.Fatal("an error")
			}
			compare(t, c.name, y[n*out:(n+1)*out], gotY, 1e-13)
			compare(t, c.name+", dx", dx[n*in:(n+1)*in], gotX, 1e-13)
			for i, v := range gotW {
				sum[i] += v
			}
		}
		compare(t, c.name+", dW", dw, sum, 1e-13)
		compare(t, c.name+" against the definition", y, directConv(x, w, s, c.outputs, c.conv, func(v float64) float64 { return v }), 1e-12)
	}
}

// TestConv2DGradientIsAdjoint compares dx and dW of groups with the definition:
// <dz, conv(x, W)> is linear in each.
func TestConv2DGradientIsAdjoint(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	s, outputs := tensor.Shape{40, 3, 9, 7}, 4
	for _, c := range []Conv{evenConv(3, 1, 1, 1), evenConv(5, 2, 2, 1), evenConv(3, 1, 2, 2)} {
		c.NoBias = true
		k := newIm2col[float64](c, s, outputs)
		x, w := randn(rng, s...).Float64s(), randn(rng, k.rows, outputs).Float64s()
		dx, dw := make([]float64, len(x)), make([]float64, len(w))
		dz := randn(rng, s[0]*outputs*k.positions).Float64s()
		if k.gradX(dz, nil, w, dx) != nil || k.gradW(x, dz, nil, dw) != nil {
			t.Fatal("an error")
		}
		identity := func(v float64) float64 { return v }
		inner := func(a, b []float64) (sum float64) {
			for i, v := range a {
				sum += v * b[i]
			}
			return sum
		}
		u, v := randn(rng, len(x)).Float64s(), randn(rng, len(w)).Float64s()
		compare(t, "dx", []float64{inner(dx, u)}, []float64{inner(dz, directConv(u, w, s, outputs, c, identity))}, 1e-11)
		compare(t, "dW", []float64{inner(dw, v)}, []float64{inner(dz, directConv(x, v, s, outputs, c, identity))}, 1e-11)
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
