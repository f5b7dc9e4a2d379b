package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// GlobalAvgPool2D is the mean of each channel of each image: x is N×C×H×W, the result
// N×C. The gradient of x is not computed if x is an input of the graph.
func GlobalAvgPool2D(x *gorgonia.Node) (*gorgonia.Node, error) {
	requiresGrad := x != nil && !isInput(x)
	return applyFloat(&globalPool[float32]{requiresGrad: requiresGrad}, &globalPool[float64]{requiresGrad: requiresGrad}, x)
}

// globalPool is the kernel of GlobalAvgPool2D.
type globalPool[T Float] struct {
	requiresGrad bool // x is no input of the graph, so its gradient is needed
	a            *args[T]
	size         int // of an image's channel

	body, blockBody func(lo, hi int)
}

func (k *globalPool[T]) name() string     { return "globalAvgPool" }
func (k *globalPool[T]) wrt() []bool      { return []bool{k.requiresGrad} }
func (k *globalPool[T]) clone() kernel[T] { return &globalPool[T]{requiresGrad: k.requiresGrad} }

func (k *globalPool[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	x := in[0]
	if err := wantImages(x, "x"); err != nil {
		return nil, err
	}
	if x[2]*x[3] == 0 {
		return nil, errors.Errorf("x of shape %v has no elements", x)
	}
	return tensor.Shape{x[0], x[1]}, nil
}

func (k *globalPool[T]) blocks([]tensor.Shape, bool) ([]int, bool) { return []int{1, 0}, false }

func (k *globalPool[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			for i := lo; i < hi; i++ {
				k.a.out[i] = T(vmath.Sum64(k.a.in[0][i*k.size:(i+1)*k.size]) / float64(k.size))
			}
		}
	}
	k.a, k.size = a, a.shapes[0][2]*a.shapes[0][3]
	if a.inBlocks(0) {
		if k.blockBody == nil {
			k.blockBody = k.blockMeans
		}
		par.For(len(a.out)/simd.Block, par.RowGrain(k.size*simd.Block), k.blockBody)
		return nil
	}
	par.For(len(a.out), par.RowGrain(k.size), k.body)
	return nil
}

// blockMeans is the mean of each channel of the blocks [lo, hi).
func (k *globalPool[T]) blockMeans(lo, hi int) {
	var zero [simd.Block]float64
	size := k.size * simd.Block
	for i := lo; i < hi; i++ {
		var s simd.BlockSums
		s.Squares(singles(k.a.in[0][i*size:(i+1)*size]), &zero)
		for j, sum := range s[0] {
			k.a.out[i*simd.Block+j] = T(sum / float64(k.size))
		}
	}
}

func (k *globalPool[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if !k.requiresGrad {
		return gorgonia.Nodes{nil}, nil
	}
	dx, err := apply(&globalPoolGrad[T]{to: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}

// globalPoolGrad spreads each dy over its channel.
type globalPoolGrad[T Float] struct {
	noGradient[T]
	to              tensor.Shape
	a               *args[T]
	body, blockBody func(lo, hi int)
}

func (k *globalPoolGrad[T]) name() string                               { return "globalAvgPoolGrad" }
func (k *globalPoolGrad[T]) clone() kernel[T]                           { return &globalPoolGrad[T]{to: k.to} }
func (k *globalPoolGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *globalPoolGrad[T]) blocks([]tensor.Shape, bool) ([]int, bool) { return []int{0, 1}, false }

func (k *globalPoolGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body, k.blockBody = k.planes, k.blockPlanes
	}
	k.a = a
	if a.blockResult() {
		par.For(len(a.in[0])/simd.Block, par.RowGrain(k.to[2]*k.to[3]*simd.Block), k.blockBody)
		return nil
	}
	par.For(len(a.in[0]), par.RowGrain(k.to[2]*k.to[3]), k.body)
	return nil
}

func (k *globalPoolGrad[T]) planes(lo, hi int) {
	size := k.to[2] * k.to[3]
	for i := lo; i < hi; i++ {
		d := T(float64(k.a.in[0][i]) / float64(size))
		dx := k.a.out[i*size : (i+1)*size]
		for j := range dx {
			dx[j] = d
		}
	}
}

// blockPlanes is planes for blocks of channels.
func (k *globalPoolGrad[T]) blockPlanes(lo, hi int) {
	size := k.to[2] * k.to[3]
	var d [simd.Block]T
	for i := lo; i < hi; i++ {
		for j := range d {
			d[j] = T(float64(k.a.in[0][i*simd.Block+j]) / float64(size))
		}
		for at := i * size; at < (i+1)*size; at++ {
			copy(k.a.out[at*simd.Block:][:simd.Block], d[:])
		}
	}
}
