package apoops

import (
	"fmt"
	"math/bits"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/conv"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// groupPart is the part of a moment's elements that the patches of a group may have: the
// moment is read and written for each group.
const groupPart = 4

const groupRows = 64 // channels from which several images make one moment of positions

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

// PatchSample says which patches of a convolution SampledInputMoment takes.
type PatchSample struct {
	// Count are drawn at random, without repetition, from those of all images.
	Count int
	// Images is the number of all, of which the graph may compute a part (Random.Part).
	Images int
	Source *Random
	Stream uint64
}

// SampledInputMoment is InputMoment of a convolution, of patches that are drawn, times the
// number of all over that of the drawn: in expectation it is InputMoment. Where there are no
// more than s.Count patches, and for a fully connected layer, it is InputMoment.
func SampledInputMoment(f Factors, s PatchSample, on *Switch) (*gorgonia.Node, error) {
	if f.Conv == nil || s.Count >= s.Images*f.S.Shape()[2]*f.S.Shape()[3] {
		return InputMoment(f, on)
	}
	if s.Count < 1 || s.Source == nil {
		return nil, errors.Errorf("apoops: %d patches of a convolution, or no source to draw them", s.Count)
	}
	return applyFloat(&sampledPatchMoment[float32]{patchMoment: patchMoment[float32]{c: *f.Conv, on: on}, PatchSample: s},
		&sampledPatchMoment[float64]{patchMoment: patchMoment[float64]{c: *f.Conv, on: on}, PatchSample: s}, f.A)
}

// sampledPatchMoment is the kernel of SampledInputMoment.
type sampledPatchMoment[T Float] struct {
	patchMoment[T]
	PatchSample
	patches *conv.Patches
	chosen  []int // numbers of patches, counted image by image, in their order
	x, rows []T
	first   int // the first of the chosen patches in rows
	gather  func(lo, hi int)
}

func (k *sampledPatchMoment[T]) name() string {
	return fmt.Sprintf("sampledPatchMoment%v(%d, %d)", k.c, k.Count, k.Stream)
}
func (k *sampledPatchMoment[T]) clone() kernel[T] {
	return &sampledPatchMoment[T]{patchMoment: patchMoment[T]{c: k.c, on: k.on}, PatchSample: k.PatchSample}
}

func (k *sampledPatchMoment[T]) run(a *args[T]) error {
	if k.on.off() {
		return nil
	}
	if k.patches == nil {
		k.patches, k.gather = conv.NewPatches(k.c.geometry(), a.shapes[0]), k.gatherRows
	}
	images, dim := a.shapes[0][0], k.patches.Rows+k.c.bias()
	k.chosen = k.choose(k.chosen[:0], images, k.patches.Positions)
	scale := T(float64(k.Images) / float64(images) * float64(k.patches.Positions) / float64(k.Count))
	n := len(k.chosen)
	if n == 0 {
		clear(a.out)
	}
	k.x, k.rows = a.in[0], scratch.Get[T](min(sampleRows, n)*dim)
	for k.first = 0; k.first < n; k.first += sampleRows {
		rows := min(sampleRows, n-k.first)
		par.For(rows, par.RowGrain(dim), k.gather)
		blas.Syrk(true, dim, rows, scale, k.rows, dim, T(min(k.first, 1)), a.out, dim)
	}
	scratch.Put(k.rows)
	k.x, k.rows = nil, nil
	return nil
}

// sampleRows is the number of patches that are gathered at once.
const sampleRows = 2048

// choose appends the numbers of the patches that are drawn, of those of the given images;
// of all patches each set has the same probability (Knuth, The Art of Computer Programming,
// volume 2, algorithm S).
func (s *PatchSample) choose(chosen []int, images, positions int) []int {
	key, left := s.Source.key(s.Stream), s.Count
	from, total := s.Source.first*positions, s.Images*positions
	for i := range total {
		drawn, _ := bits.Mul64(simd.Scramble(key+uint64(i)*simd.Golden), uint64(total-i))
		if int(drawn) >= left {
			continue
		}
		left--
		if from <= i && i < from+images*positions {
			chosen = append(chosen, i-from)
		}
	}
	return chosen
}

// gatherRows makes the rows [lo, hi): patches with the 1 of the bias.
func (k *sampledPatchMoment[T]) gatherRows(lo, hi int) {
	n, dim := k.patches.Rows, k.patches.Rows+k.c.bias()
	for i := lo; i < hi; i++ {
		row, at := k.rows[i*dim:][:dim], k.chosen[k.first+i]
		conv.Patch(k.patches, row[:n], k.x, at/k.patches.Positions, at%k.patches.Positions)
		if dim > n {
			row[n] = 1
		}
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
		k.loop.GrowFrom(groupRows, len(a.out)/groupPart)
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
