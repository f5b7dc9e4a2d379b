package conv

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// groupColumns is the number of patches that make one product of the forward
// pass and of dx: products with fewer columns are slow.
const groupColumns = 512

// im2col computes a convolution by products of W with the patches of groups of
// images. Groups of the forward pass and of dx run on all cores side by side, each
// with memory for its own patches; dW adds up over the groups one after the
// other, each of its products on all cores. So memory is bounded and results do not
// depend on the number of cores.
type im2col[T Float] struct {
	patches
	n, outputs int
	x, w, y    []T // of the current run; y is dz in the gradients
	serial     bool
	group      int           // images in a group of the forward pass and of dx
	loop       *PatchLoop[T] // over the groups of dW
	z          []T           // dz of a group of dW
	dy, act    []T           // what dz is computed from; act is y
	dz         []T
	forwardOne func(lo, hi int)
	gradXOne   func(lo, hi int)
	addGroup   func(columns []T)
	gatherGrad func(lo, hi int)
	biasGrad   func(lo, hi int)

	activationGrad func(lo, hi int)
}

func newIm2col[T Float](c Geometry, x []int, outputs int) *im2col[T] {
	k := &im2col[T]{patches: newPatches(c, x), n: x[0], outputs: outputs, loop: NewPatchLoop[T](c, x)}
	k.group = k.groupOf(k.n, groupColumns)
	k.serial = k.groups() > 1
	k.forwardOne, k.gradXOne, k.addGroup = k.forwardGroups, k.gradXGroups, k.addProduct
	k.gatherGrad, k.biasGrad = k.gradWOutputs, k.gradBias
	k.activationGrad = func(lo, hi int) { vmath.Backward(k.Activation, k.dz[lo:hi], k.act[lo:hi], k.dy[lo:hi]) }
	return k
}

func (k *im2col[T]) groups() int { return (k.n + k.group - 1) / k.group }

// product is a product of one group: on the calling goroutine if the groups
// themselves keep all cores busy.
func (k *im2col[T]) product(ta bool, m, n, inner int, a []T, lda int, b []T, ldb int, c []T, ldc int) {
	if k.serial {
		blas.SerialGemm(ta, false, m, n, inner, 1, a, lda, b, ldb, 0, c, ldc)
	} else {
		blas.Gemm(ta, false, m, n, inner, 1, a, lda, b, ldb, 0, c, ldc)
	}
}

func (k *im2col[T]) Forward(x, w, y []T) error {
	k.x, k.w, k.y = x, w, y
	par.For(k.groups(), 1, k.forwardOne)
	k.x, k.w, k.y = nil, nil, nil
	return nil
}

// getGroup returns memory for the patches of a group and for its outputs. They are
// nil where the images themselves are the patches or the outputs.
func (k *im2col[T]) getGroup() (cols, z []T) {
	if !k.sameLayout || k.group > 1 {
		cols = scratch.Get[T](k.Rows * k.group * k.Positions)
	}
	if k.group > 1 {
		z = scratch.Get[T](k.outputs * k.group * k.Positions)
	}
	return cols, z
}

func (k *im2col[T]) putGroup(cols, z []T) {
	for _, buf := range [2][]T{z, cols} {
		if buf != nil {
			scratch.Put(buf)
		}
	}
}

// forwardGroups computes the outputs of the groups [lo, hi).
func (k *im2col[T]) forwardGroups(lo, hi int) {
	o := k.outputs
	cols, z := k.getGroup()
	defer k.putGroup(cols, z)
	for g := lo; g < hi; g++ {
		first := g * k.group
		count := min(k.group, k.n-first)
		width := count * k.Positions
		columns := k.columns(cols, first, count)
		y := k.y[first*o*k.Positions : (first+count)*o*k.Positions]
		if count == 1 {
			k.product(true, o, width, k.Rows, k.w, o, columns, width, y, width)
		} else {
			k.product(true, o, width, k.Rows, k.w, o, columns, width, z, width)
			exchange(y, z, o, count, k.Positions)
		}
		k.finish(y, count)
	}
}

// columns fills dst with the patches of count images from the first on, a matrix
// rows×(count·positions), or returns the image that is its own patches.
func (k *im2col[T]) columns(dst []T, first, count int) []T {
	if k.sameLayout && count == 1 {
		return k.x[first*k.imageSize : (first+1)*k.imageSize]
	}
	gatherAll(&k.patches, dst, k.x[first*k.imageSize:], count, 0, k.Rows)
	return dst
}

// exchange copies src, a×b blocks of s elements, to dst as b×a blocks.
func exchange[T Float](dst, src []T, a, b, s int) {
	for i := range a {
		for j := range b {
			copy(dst[(j*a+i)*s:(j*a+i+1)*s], src[(i*b+j)*s:])
		}
	}
}

// finish adds the bias to the outputs of count images and applies the activation.
func (k *im2col[T]) finish(y []T, count int) {
	if k.NoBias {
		vmath.Forward(k.Activation, y)
		return
	}
	bias := k.w[k.Rows*k.outputs:]
	for i := range count * k.outputs {
		b, run := bias[i%k.outputs], y[i*k.Positions:(i+1)*k.Positions]
		simd.Affine(run, run, 0, 1, b)
		vmath.Forward(k.Activation, run)
	}
}

func (k *im2col[T]) GradX(dy, y, w, dx []T) error {
	k.x, k.w, k.y = dx, w, k.getDZ(dy, y)
	par.For(k.groups(), 1, k.gradXOne)
	k.putDZ()
	k.x, k.w, k.y = nil, nil, nil
	return nil
}

// getDZ computes the gradient with respect to the pre-activations. putDZ frees its
// memory.
func (k *im2col[T]) getDZ(dy, y []T) []T {
	if k.Activation == vmath.Identity {
		return dy
	}
	k.dy, k.act, k.dz = dy, y, scratch.Get[T](len(dy))
	par.For(len(dy), par.Grain, k.activationGrad)
	return k.dz
}

func (k *im2col[T]) putDZ() {
	if k.dz != nil {
		scratch.Put(k.dz)
	}
	k.dy, k.act, k.dz = nil, nil, nil
}

// gradXGroups computes dx of the groups [lo, hi).
func (k *im2col[T]) gradXGroups(lo, hi int) {
	o := k.outputs
	cols, z := k.getGroup()
	defer k.putGroup(cols, z)
	for g := lo; g < hi; g++ {
		first := g * k.group
		count := min(k.group, k.n-first)
		width := count * k.Positions
		dz := k.y[first*o*k.Positions : (first+count)*o*k.Positions]
		dx := k.x[first*k.imageSize : (first+count)*k.imageSize]
		if count > 1 {
			exchange(z, dz, count, o, k.Positions)
			dz = z
		}
		if k.sameLayout && count == 1 {
			k.product(false, k.Rows, width, o, k.w, o, dz, width, dx, width)
			continue
		}
		k.product(false, k.Rows, width, o, k.w, o, dz, width, cols, width)
		k.scatterAll(dx, cols, count)
	}
}

func (k *im2col[T]) scatterAll(dx, cols []T, count int) {
	clear(dx)
	width := count * k.Positions
	for r := range k.Rows {
		x := k.row(r)
		for i := range count {
			scatter(&k.patches, dx[i*k.imageSize:(i+1)*k.imageSize], cols[r*width+i*k.Positions:][:k.Positions], x)
		}
	}
}

func (k *im2col[T]) GradW(x, dy, y, dw []T) error {
	k.w, k.y = dw, k.getDZ(dy, y)
	k.z = scratch.Get[T](k.outputs * k.loop.group * k.Positions)
	k.loop.Each(x, k.addGroup)
	scratch.Put(k.z)
	if !k.NoBias {
		par.For(k.outputs, par.RowGrain(k.n*k.Positions), k.biasGrad)
	}
	k.putDZ()
	k.w, k.y, k.z = nil, nil, nil
	return nil
}

// addProduct adds the part of the current group of images to dW.
func (k *im2col[T]) addProduct(columns []T) {
	o, first, count := k.outputs, k.loop.First, k.loop.Count
	width := count * k.Positions
	z := k.z
	if count == 1 {
		z = k.y[first*o*k.Positions : (first+1)*o*k.Positions]
	} else {
		par.For(o, par.RowGrain(width), k.gatherGrad)
	}
	blas.Gemm(false, true, k.Rows, o, width, 1, columns, width, z, width, k.loop.Beta(), k.w, o)
}

// gradWOutputs gathers the channels [lo, hi) of dz of the current group.
func (k *im2col[T]) gradWOutputs(lo, hi int) {
	first, count := k.loop.First, k.loop.Count
	for j := lo; j < hi; j++ {
		for i := range count {
			from := ((first+i)*k.outputs + j) * k.Positions
			copy(k.z[(j*count+i)*k.Positions:][:k.Positions], k.y[from:])
		}
	}
}

// gradBias sums dz of the channels [lo, hi) over images and positions.
func (k *im2col[T]) gradBias(lo, hi int) {
	db := k.w[k.Rows*k.outputs:]
	for j := lo; j < hi; j++ {
		var sum float64
		for i := range k.n {
			from := (i*k.outputs + j) * k.Positions
			sum += vmath.Sum64(k.y[from : from+k.Positions])
		}
		db[j] = T(sum)
	}
}
