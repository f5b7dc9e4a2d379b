package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/conv"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// groupPart is the part of a moment's elements that the patches of a group may have: the
// moment is read and written for each group.
const groupPart = 4

// patchMoment is the kernel of InputMoment for a convolution.
type patchMoment[T Float] struct {
	noGradient[T]
	c     Conv
	on    *Switch
	loop  *conv.PatchLoop[T]
	out   []T
	visit func(columns []T)
}

func (k *patchMoment[T]) name() string     { return "patchMoment" + k.c.String() }
func (k *patchMoment[T]) clone() kernel[T] { return &patchMoment[T]{c: k.c, on: k.on} }
func (k *patchMoment[T]) persists()        {}

func (k *patchMoment[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := k.c.check(in[0]); err != nil {
		return nil, err
	}
	dim := in[0][1]*k.c.Kernel[0]*k.c.Kernel[1] + k.c.bias()
	return tensor.Shape{dim, dim}, nil
}

func (k *patchMoment[T]) run(a *args[T]) error {
	if k.on.off() {
		return nil
	}
	if k.loop == nil {
		k.loop, k.visit = conv.NewPatchLoop[T](k.c.geometry(), a.shapes[0]), k.add
		k.loop.Grow(len(a.out) / groupPart)
	}
	k.out = a.out
	k.loop.Each(a.in[0], k.visit)
	if k.c.NoBias {
		return nil
	}
	n, dim := k.loop.Rows, k.loop.Rows+1
	last := a.out[n*dim:]
	for i := range n {
		last[i] = a.out[i*dim+n]
	}
	last[n] = T(k.loop.Positions)
	return nil
}

// add adds a group's patches. Their sum goes to the last column.
func (k *patchMoment[T]) add(columns []T) {
	l := k.loop
	n, dim, width, beta := l.Rows, l.Rows+k.c.bias(), l.Count*l.Positions, l.Beta()
	scale := 1 / T(l.N)
	blas.Syrk(false, n, width, scale, columns, width, beta, k.out, dim)
	if k.c.NoBias {
		return
	}
	for i := range n {
		sum := scale * T(vmath.Sum64(columns[i*width:(i+1)*width]))
		if l.First > 0 {
			sum += k.out[i*dim+n]
		}
		k.out[i*dim+n] = sum
	}
}

// positionMoment is the kernel of GradientMoment for a convolution.
type positionMoment[T Float] struct {
	noGradient[T]
	on    *Switch
	loop  *conv.PatchLoop[T] // the patches of kernels of 1×1 are the positions
	out   []T
	visit func(columns []T)
}

func (k *positionMoment[T]) name() string     { return "positionMoment" }
func (k *positionMoment[T]) clone() kernel[T] { return &positionMoment[T]{on: k.on} }
func (k *positionMoment[T]) persists()        {}

func (k *positionMoment[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][1], in[0][1]}, wantImages(in[0], "s")
}

func (k *positionMoment[T]) run(a *args[T]) error {
	if k.on.off() {
		return nil
	}
	if k.loop == nil {
		k.loop, k.visit = conv.NewPatchLoop[T](conv.Geometry{Kernel: [2]int{1, 1}}, a.shapes[0]), k.add
		k.loop.Grow(len(a.out) / groupPart)
	}
	k.out = a.out
	k.loop.Each(a.in[0], k.visit)
	return nil
}

// add adds a group's positions.
func (k *positionMoment[T]) add(columns []T) {
	l := k.loop
	m, width := l.Rows, l.Count*l.Positions
	blas.Syrk(false, m, width, T(l.N)/T(l.Positions), columns, width, l.Beta(), k.out, m)
}

// patchSquares is the kernel of ProjectedSquares for a convolution.
type patchSquares[T Float] struct {
	noGradient[T]
	c     Conv
	on    *Switch
	loop  *conv.PatchLoop[T]
	a     *args[T]
	m     int
	visit func(columns []T)
}

func (k *patchSquares[T]) name() string     { return "patchSquares" + k.c.String() }
func (k *patchSquares[T]) clone() kernel[T] { return &patchSquares[T]{c: k.c, on: k.on} }
func (k *patchSquares[T]) persists()        {}

func (k *patchSquares[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	a, s := in[0], in[1]
	if err := wantImages(s, "s"); err != nil {
		return nil, err
	}
	n, m := a[1]*k.c.Kernel[0]*k.c.Kernel[1]+k.c.bias(), s[1]
	want, err := k.c.infer(a, tensor.Shape{n, m})
	switch {
	case err != nil:
		return nil, err
	case !s.Eq(want):
		return nil, errors.Errorf("s has shape %v, not %v", s, want)
	}
	return tensor.Shape{n, m}, checkBases(in[2], in[3], n, m)
}

func (k *patchSquares[T]) run(a *args[T]) error {
	if k.on.off() {
		return nil
	}
	if k.loop == nil {
		k.loop, k.visit = conv.NewPatchLoop[T](k.c.geometry(), a.shapes[0]), k.add
		k.loop.Limit(len(a.out)) // the gradients of the images need memory too
	}
	k.a, k.m = a, a.shapes[1][1]
	clear(a.out)
	k.loop.Each(a.in[0], k.visit)
	return nil
}

// add adds the squares of the images of a group. Their gradients stand side by
// side, dim×(count·m), for one product with U_A; read as (dim·count)×m they are
// multiplied with U_G.
func (k *patchSquares[T]) add(columns []T) {
	l, m, count := k.loop, k.m, k.loop.Count
	dim, width, wide := l.Rows+k.c.bias(), count*l.Positions, count*k.m
	g, h := scratch.Get[T](dim*wide), scratch.Get[T](dim*wide)
	for i := range count {
		s := k.a.in[1][(l.First+i)*m*l.Positions : (l.First+i+1)*m*l.Positions]
		blas.Gemm(false, true, l.Rows, m, l.Positions, 1, columns[i*l.Positions:], width, s, l.Positions, 0, g[i*m:], wide)
		if !k.c.NoBias {
			last := g[l.Rows*wide+i*m:][:m]
			for j := range last {
				last[j] = T(vmath.Sum64(s[j*l.Positions : (j+1)*l.Positions]))
			}
		}
	}
	blas.Gemm(false, false, dim, wide, dim, 1, k.a.in[2], dim, g, wide, 0, h, wide)
	blas.Gemm(false, true, dim*count, m, m, 1, h, m, k.a.in[3], m, 0, g, m)
	n := T(l.N)
	for r := range dim {
		out := k.a.out[r*m : (r+1)*m]
		for i := range count {
			for j, v := range g[(r*count+i)*m:][:m] {
				out[j] += n * v * v
			}
		}
	}
	scratch.Put(h)
	scratch.Put(g)
}
