package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Pad2D puts zeros around images: rows of them above and below, cols left and right.
// x is N×C×H×W, the result N×C×(H+2·rows)×(W+2·cols). The gradient of x is not
// computed if x is an input of the graph.
func Pad2D(x *gorgonia.Node, rows, cols int) (*gorgonia.Node, error) {
	s := padSettings{rows: rows, cols: cols, requiresGrad: x != nil && !isInput(x)}
	return applyFloat(&pad[float32]{padSettings: s}, &pad[float64]{padSettings: s}, x)
}

type padSettings struct {
	rows, cols   int
	requiresGrad bool // x is no input of the graph, so its gradient is needed
}

// pad is the kernel of Pad2D and, where crop is set, of its gradient.
type pad[T Float] struct {
	padSettings
	crop bool
	a    *args[T]
	h, w int // of the images without padding
	body func(lo, hi int)
}

func (k *pad[T]) name() string {
	if k.crop {
		return fmt.Sprintf("padGrad(%d, %d)", k.rows, k.cols)
	}
	return fmt.Sprintf("pad(%d, %d)", k.rows, k.cols)
}

func (k *pad[T]) wrt() []bool      { return []bool{k.requiresGrad && !k.crop} }
func (k *pad[T]) clone() kernel[T] { return &pad[T]{padSettings: k.padSettings, crop: k.crop} }

func (k *pad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	x := in[0]
	if err := wantImages(x, "x"); err != nil {
		return nil, err
	}
	if k.rows < 0 || k.cols < 0 {
		return nil, errors.Errorf("%d rows and %d columns of padding", k.rows, k.cols)
	}
	r, c := 2*k.rows, 2*k.cols
	if k.crop {
		r, c = -r, -c
	}
	return tensor.Shape{x[0], x[1], x[2] + r, x[3] + c}, nil
}

func (k *pad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.planes
	}
	k.a, k.h, k.w = a, a.shapes[0][2], a.shapes[0][3]
	if k.crop {
		k.h, k.w = k.h-2*k.rows, k.w-2*k.cols
	}
	par.For(a.shapes[0][0]*a.shapes[0][1], par.RowGrain(k.h*k.w), k.body)
	return nil
}

func (k *pad[T]) planes(lo, hi int) {
	wide := k.w + 2*k.cols
	size, large := k.h*k.w, (k.h+2*k.rows)*wide
	for i := lo; i < hi; i++ {
		small, from := i*size, i*large+k.rows*wide+k.cols
		if !k.crop {
			clear(k.a.out[i*large : (i+1)*large])
		}
		for r := range k.h {
			if k.crop {
				copy(k.a.out[small+r*k.w:][:k.w], k.a.in[0][from+r*wide:])
			} else {
				copy(k.a.out[from+r*wide:][:k.w], k.a.in[0][small+r*k.w:])
			}
		}
	}
}

func (k *pad[T]) grad(_ gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if k.crop {
		return nil, errNoSecondDerivative
	}
	if !k.requiresGrad {
		return gorgonia.Nodes{nil}, nil
	}
	dx, err := apply(&pad[T]{padSettings: k.padSettings, crop: true}, dout)
	return gorgonia.Nodes{dx}, err
}

// Subsample keeps every stride-th row and column of images, from the first on, and
// puts channels of zeros behind theirs: the shortcut without parameters of residual
// nets (He et al. 2016, option A). x is N×C×H×W, the result
// N×channels×⌈H/stride⌉×⌈W/stride⌉ with channels ≥ C. The gradient of x is not
// computed if x is an input of the graph.
func Subsample(x *gorgonia.Node, stride, channels int) (*gorgonia.Node, error) {
	s := subsampling{stride: stride, channels: channels, requiresGrad: x != nil && !isInput(x)}
	return applyFloat(&subsample[float32]{subsampling: s}, &subsample[float64]{subsampling: s}, x)
}

type subsampling struct {
	stride, channels int
	requiresGrad     bool // x is no input of the graph, so its gradient is needed
}

// rows is the number of rows kept of h.
func (s subsampling) rows(h int) int { return (h + s.stride - 1) / s.stride }

// subsample is the kernel of Subsample.
type subsample[T Float] struct {
	subsampling
	a               *args[T]
	body, blockBody func(lo, hi int)
}

func (k *subsample[T]) name() string     { return fmt.Sprintf("subsample(%d, %d)", k.stride, k.channels) }
func (k *subsample[T]) wrt() []bool      { return []bool{k.requiresGrad} }
func (k *subsample[T]) clone() kernel[T] { return &subsample[T]{subsampling: k.subsampling} }

func (k *subsample[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	x := in[0]
	if err := wantImages(x, "x"); err != nil {
		return nil, err
	}
	if k.stride < 1 || k.channels < x[1] {
		return nil, errors.Errorf("stride %d, %d channels for x of shape %v: the stride must be positive, the channels no fewer than those of x", k.stride, k.channels, x)
	}
	return tensor.Shape{x[0], k.channels, k.rows(x[2]), k.rows(x[3])}, nil
}

func (k *subsample[T]) blocks([]tensor.Shape, bool) ([]int, bool) { return []int{1, 1}, false }

func (k *subsample[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body, k.blockBody = k.planes, k.blockPlanes
	}
	k.a = a
	x := a.shapes[0]
	if a.inBlocks(0) {
		par.For(x[0]*k.channels/dnn.Block, par.RowGrain(k.rows(x[2])*k.rows(x[3])*dnn.Block), k.blockBody)
		return nil
	}
	par.For(x[0]*k.channels, par.RowGrain(k.rows(x[2])*k.rows(x[3])), k.body)
	return nil
}

// planes makes the planes [lo, hi) of the result, numbered across all images.
func (k *subsample[T]) planes(lo, hi int) {
	c, h, w := k.a.shapes[0][1], k.a.shapes[0][2], k.a.shapes[0][3]
	oh, ow := k.rows(h), k.rows(w)
	for p := lo; p < hi; p++ {
		y := k.a.out[p*oh*ow : (p+1)*oh*ow]
		image, channel := p/k.channels, p%k.channels
		if channel >= c {
			clear(y)
			continue
		}
		x := k.a.in[0][(image*c+channel)*h*w:][:h*w]
		for i := range oh {
			row := x[i*k.stride*w:][:w]
			for j := range ow {
				y[i*ow+j] = row[j*k.stride]
			}
		}
	}
}

// blockPlanes is planes for blocks of channels.
func (k *subsample[T]) blockPlanes(lo, hi int) {
	const b = dnn.Block
	c, h, w := k.a.shapes[0][1], k.a.shapes[0][2], k.a.shapes[0][3]
	oh, ow := k.rows(h), k.rows(w)
	for p := lo; p < hi; p++ {
		y := k.a.out[p*oh*ow*b : (p+1)*oh*ow*b]
		image, block := p/(k.channels/b), p%(k.channels/b)
		if block >= c/b {
			clear(y)
			continue
		}
		x := k.a.in[0][(image*c/b+block)*h*w*b:][:h*w*b]
		for i := range oh {
			for j := range ow {
				copy(y[(i*ow+j)*b:][:b], x[(i*w+j)*k.stride*b:])
			}
		}
	}
}

func (k *subsample[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if !k.requiresGrad {
		return gorgonia.Nodes{nil}, nil
	}
	dx, err := apply(&subsampleGrad[T]{subsampling: k.subsampling, x: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}

// subsampleGrad is the kernel of Subsample's gradient: the elements of dy where
// those of x came from, zeros elsewhere.
type subsampleGrad[T Float] struct {
	noGradient[T]
	subsampling
	x               tensor.Shape
	a               *args[T]
	body, blockBody func(lo, hi int)
}

func (k *subsampleGrad[T]) name() string { return fmt.Sprintf("subsampleGrad(%d, %v)", k.stride, k.x) }

func (k *subsampleGrad[T]) clone() kernel[T] {
	return &subsampleGrad[T]{subsampling: k.subsampling, x: k.x}
}

func (k *subsampleGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.x.Clone(), nil }

func (k *subsampleGrad[T]) blocks([]tensor.Shape, bool) ([]int, bool) { return []int{1, 1}, false }

func (k *subsampleGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body, k.blockBody = k.planes, k.blockPlanes
	}
	k.a = a
	if a.inBlocks(0) {
		par.For(k.x[0]*k.x[1]/dnn.Block, par.RowGrain(k.x[2]*k.x[3]*dnn.Block), k.blockBody)
		return nil
	}
	par.For(k.x[0]*k.x[1], par.RowGrain(k.x[2]*k.x[3]), k.body)
	return nil
}

// planes makes the planes [lo, hi) of dx, numbered across all images.
func (k *subsampleGrad[T]) planes(lo, hi int) {
	c, h, w := k.x[1], k.x[2], k.x[3]
	oh, ow := k.rows(h), k.rows(w)
	for p := lo; p < hi; p++ {
		dx := k.a.out[p*h*w : (p+1)*h*w]
		clear(dx)
		dy := k.a.in[0][(p/c*k.channels+p%c)*oh*ow:][:oh*ow]
		for i := range oh {
			row := dx[i*k.stride*w:][:w]
			for j := range ow {
				row[j*k.stride] = dy[i*ow+j]
			}
		}
	}
}

// blockPlanes is planes for blocks of channels.
func (k *subsampleGrad[T]) blockPlanes(lo, hi int) {
	const b = dnn.Block
	c, h, w := k.x[1]/b, k.x[2], k.x[3]
	oh, ow := k.rows(h), k.rows(w)
	for p := lo; p < hi; p++ {
		dx := k.a.out[p*h*w*b : (p+1)*h*w*b]
		clear(dx)
		dy := k.a.in[0][(p/c*(k.channels/b)+p%c)*oh*ow*b:][:oh*ow*b]
		for i := range oh {
			for j := range ow {
				copy(dx[(i*w+j)*k.stride*b:][:b], dy[(i*ow+j)*b:])
			}
		}
	}
}
