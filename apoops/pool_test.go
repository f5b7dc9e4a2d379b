package apoops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// inner applies f to a computed node of the values of in[0], so that the
// gradient with respect to it is wanted.
func inner(f func(x *gorgonia.Node) (*gorgonia.Node, error)) func(in gorgonia.Nodes) (*gorgonia.Node, error) {
	return func(in gorgonia.Nodes) (*gorgonia.Node, error) {
		x, err := Reshape(in[0], in[0].Shape()...)
		if err != nil {
			return nil, err
		}
		return f(x)
	}
}

// pooled is the reference of every pooling: reduce is applied to each window of
// the padded image.
func pooled(x []float64, s tensor.Shape, p Pool, padding float64, reduce func(window []float64) float64) []float64 {
	var y []float64
	h, w := s[2]+2*p.Pad[0]+p.Behind[0], s[3]+2*p.Pad[1]+p.Behind[1]
	for plane := range s[0] * s[1] {
		image := make([]float64, h*w)
		for i := range image {
			image[i] = padding
		}
		for i := range s[2] {
			for j := range s[3] {
				image[(i+p.Pad[0])*w+j+p.Pad[1]] = x[(plane*s[2]+i)*s[3]+j]
			}
		}
		for i := 0; i+p.Kernel[0] <= h; i += p.Stride[0] {
			for j := 0; j+p.Kernel[1] <= w; j += p.Stride[1] {
				var window []float64
				for r := range p.Kernel[0] {
					for c := range p.Kernel[1] {
						window = append(window, image[(i+r)*w+j+c])
					}
				}
				y = append(y, reduce(window))
			}
		}
	}
	return y
}

func largest(window []float64) float64 {
	m := math.Inf(-1)
	for _, v := range window {
		m = math.Max(m, v)
	}
	return m
}

func average(window []float64) (m float64) {
	for _, v := range window {
		m += v / float64(len(window))
	}
	return m
}

func TestPools(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		shape tensor.Shape
		p     Pool
	}{
		{tensor.Shape{2, 3, 4, 6}, Pool{Kernel: [2]int{2, 2}}},
		{tensor.Shape{2, 2, 5, 7}, Pool{Kernel: [2]int{2, 2}}}, // a row and a column left over
		{tensor.Shape{1, 2, 7, 6}, Pool{Kernel: [2]int{3, 2}, Stride: [2]int{2, 1}, Pad: [2]int{1, 1}}},
		{tensor.Shape{2, 1, 6, 6}, Pool{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}}},
		{tensor.Shape{1, 1, 9, 8}, Pool{Kernel: [2]int{2, 3}, Stride: [2]int{3, 4}}},
		{tensor.Shape{1, 2, 3, 3}, Pool{Kernel: [2]int{3, 3}}},
		{tensor.Shape{1, 2, 5, 6}, Pool{Kernel: [2]int{3, 2}, Stride: [2]int{2, 1}, Pad: [2]int{0, 1}, Behind: [2]int{2, -1}}},
		{tensor.Shape{1, 1, 4, 5}, Pool{Kernel: [2]int{2, 2}, Pad: [2]int{1, 0}, Behind: [2]int{-1, 1}}},
		{tensor.Shape{1, 1, 4, 4}, Pool{Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{2, 2}}},
	} {
		x := randn(rng, c.shape...)
		for i := range x.Float64s() { // distances that central differences do not bridge
			x.Float64s()[i] = math.Round(x.Float64s()[i]*1e3)/1e3 + 1e-4*rng.Float64()
		}
		p := c.p.filled()
		opTest{
			name:   fmt.Sprintf("max pool %v of %v", p, c.shape),
			build:  inner(func(x *gorgonia.Node) (*gorgonia.Node, error) { return MaxPool2D(x, c.p) }),
			inputs: []*tensor.Dense{x}, wrt: []int{0},
			want: func(in [][]float64) []float64 { return pooled(in[0], c.shape, p, math.Inf(-1), largest) },
		}.run(t)
		opTest{
			name:   fmt.Sprintf("average pool %v of %v", p, c.shape),
			build:  inner(func(x *gorgonia.Node) (*gorgonia.Node, error) { return AvgPool2D(x, c.p) }),
			inputs: []*tensor.Dense{x}, wrt: []int{0},
			want: func(in [][]float64) []float64 { return pooled(in[0], c.shape, p, 0, average) },
		}.run(t)
		opTest{
			name:   fmt.Sprintf("global average pool of %v", c.shape),
			build:  inner(GlobalAvgPool2D),
			inputs: []*tensor.Dense{x}, wrt: []int{0},
			want: func(in [][]float64) []float64 {
				whole := Pool{Kernel: [2]int{c.shape[2], c.shape[3]}}.filled()
				return pooled(in[0], c.shape, whole, 0, average)
			},
		}.run(t)
	}
}

// poolOnce is the value and the gradient of the sum of a pooling of one plane.
func poolOnce(t *testing.T, p Pool, x []float64, h, w int) (y, d []float64) {
	t.Helper()
	g := gorgonia.NewGraph()
	in := inputNode(g, tensor.New(tensor.WithShape(1, 1, h, w), tensor.WithBacking(x)), tensor.Float64, "x")
	out, err := inner(func(x *gorgonia.Node) (*gorgonia.Node, error) { return MaxPool2D(x, p) })(gorgonia.Nodes{in})
	if err != nil {
		t.Fatal(err)
	}
	return runNode(t, out, in)
}

// runNode runs y and returns its value and the gradient of its sum by x.
func runNode(t *testing.T, y, x *gorgonia.Node) (value, d []float64) {
	t.Helper()
	var v gorgonia.Value
	gorgonia.Read(y, &v)
	sum := y
	for range y.Dims() {
		sum = gorgonia.Must(gorgonia.Sum(sum, 0))
	}
	grads, err := gorgonia.Grad(sum, x)
	if err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(y.Graph())
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return floats(v), floats(grads[0].Value())
}

// TestMaxPoolTies: the first of equal maxima gets the gradient, for windows of
// every form.
func TestMaxPoolTies(t *testing.T) {
	inf := math.Inf(-1)
	for _, c := range []struct{ x, d []float64 }{
		{[]float64{1, 1, 1, 1}, []float64{1, 0, 0, 0}},
		{[]float64{0, 1, 1, 1}, []float64{0, 1, 0, 0}},
		{[]float64{0, 0, 1, 1}, []float64{0, 0, 1, 0}},
		{[]float64{0, 0, 0, 1}, []float64{0, 0, 0, 1}},
		{[]float64{inf, inf, inf, inf}, []float64{1, 0, 0, 0}},
	} {
		for _, p := range []Pool{{Kernel: [2]int{2, 2}}, {Kernel: [2]int{2, 2}, Stride: [2]int{3, 3}}} {
			_, d := poolOnce(t, p, append([]float64(nil), c.x...), 2, 2)
			compare(t, fmt.Sprintf("%v of %v", p, c.x), d, c.d, 0)
		}
	}
}

// TestMaxPoolNaN: a NaN at any place of a window makes it NaN, other windows
// keep their numbers.
func TestMaxPoolNaN(t *testing.T) {
	for _, p := range []Pool{{Kernel: [2]int{2, 2}}, {Kernel: [2]int{2, 2}, Stride: [2]int{2, 3}}} {
		for at := range 4 {
			x := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
			i := at/2*5 + at%2
			x[i] = math.NaN()
			y, d := poolOnce(t, p, x, 2, 5)
			if !math.IsNaN(y[0]) || y[1] != map[int]float64{2: 9, 3: 10}[p.filled().Stride[1]] {
				t.Fatalf("%v, a NaN at %d: %v", p, i, y)
			}
			if p.Stride[1] == 3 && d[i] != 1 {
				t.Fatalf("the gradient went to %v", d)
			}
		}
	}
}

func TestPoolsRefuse(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprint(shape)))
	}
	x := node(1, 1, 4, 4)
	for what, c := range map[string]struct {
		x *gorgonia.Node
		p Pool
	}{
		"nil":               {nil, Pool{Kernel: [2]int{2, 2}}},
		"a matrix":          {node(4, 4), Pool{Kernel: [2]int{2, 2}}},
		"no kernel":         {x, Pool{}},
		"half a kernel":     {x, Pool{Kernel: [2]int{2, 0}}},
		"negative stride":   {x, Pool{Kernel: [2]int{2, 2}, Stride: [2]int{-1, 1}}},
		"negative padding":  {x, Pool{Kernel: [2]int{2, 2}, Pad: [2]int{-1, 0}}},
		"too much padding":  {x, Pool{Kernel: [2]int{2, 2}, Pad: [2]int{2, 0}}},
		"padding behind":    {x, Pool{Kernel: [2]int{2, 2}, Pad: [2]int{1, 0}, Behind: [2]int{1, 0}}},
		"less than none":    {x, Pool{Kernel: [2]int{2, 2}, Pad: [2]int{1, 0}, Behind: [2]int{-2, 0}}},
		"too large kernels": {x, Pool{Kernel: [2]int{5, 2}}},
	} {
		if _, err := MaxPool2D(c.x, c.p); err == nil {
			t.Errorf("max pool: %s was accepted", what)
		}
		if _, err := AvgPool2D(c.x, c.p); err == nil {
			t.Errorf("average pool: %s was accepted", what)
		}
	}
	for _, bad := range []*gorgonia.Node{nil, node(4, 4), node(1, 1, 0, 4)} {
		if _, err := GlobalAvgPool2D(bad); err == nil {
			t.Errorf("global pool: %v was accepted", bad)
		}
	}
	for _, s := range [][2]int{{-1, 0}, {0, -1}} {
		if _, err := Pad2D(x, s[0], s[1]); err == nil {
			t.Errorf("padding %v was accepted", s)
		}
	}
	if _, err := Pad2D(node(4, 4), 1, 1); err == nil {
		t.Error("padding of a matrix was accepted")
	}
	if _, err := AddActivate(x, node(1, 1, 4, 5), Identity); err == nil {
		t.Error("a sum of different shapes was accepted")
	}
	if _, err := AddActivate(x, x, Activation(-1)); err == nil {
		t.Error("an unknown activation was accepted")
	}
}

func TestPad2D(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for _, s := range [][2]int{{0, 0}, {1, 2}, {3, 0}} {
		shape := tensor.Shape{2, 3, 2, 4}
		opTest{
			name:   fmt.Sprintf("pad %v", s),
			build:  inner(func(x *gorgonia.Node) (*gorgonia.Node, error) { return Pad2D(x, s[0], s[1]) }),
			inputs: []*tensor.Dense{randn(rng, shape...)}, wrt: []int{0},
			want: func(in [][]float64) []float64 {
				one := Pool{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Pad: s}
				return pooled(in[0], shape, one, 0, average)
			},
		}.run(t)
	}
}

func TestAddActivate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for _, a := range []Activation{Identity, ReLUAct, SigmoidAct, TanhAct, RectifyAct} {
		opTest{
			name:   "add " + a.String(),
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return AddActivate(in[0], in[1], a) },
			inputs: []*tensor.Dense{randn(rng, 2, 3, 1, 3), randn(rng, 2, 3, 1, 3)},
			wrt:    []int{0, 1},
			want: func(in [][]float64) []float64 {
				y := make([]float64, len(in[0]))
				for i := range y {
					y[i] = act(a, in[0][i]+in[1][i])
				}
				return y
			},
		}.run(t)
	}
}
