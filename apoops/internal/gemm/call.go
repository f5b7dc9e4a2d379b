package gemm

// call is one call of a kernel: C = α·A·B + β·C for a tile of C. Distances are in
// elements. The assembly knows the order of the fields.
type call[T Float] struct {
	k           int // steps, 1 at least
	a           []T
	aRow, aStep int // the distances of rows and of steps
	b           []T
	bStep       int // the distance of steps; columns are side by side
	c           []T
	cRow        int
	rows, cols  int // 1 at least; no more than the kernel has
	alpha, beta T
}

// kernelGo is the twin of the kernels in assembly. The sum of an element begins at 0
// and takes the steps in their order, each in one rounding; then it is multiplied by α,
// and β times the element of C is added in one rounding. C is not read where β is 0.
// Numbers below the normal range count as 0.
func kernelGo[T Float](t *call[T]) {
	for i := range t.rows {
		row := t.c[i*t.cRow:][:t.cols]
		for j := range row {
			var sum T
			for s := range t.k {
				sum = multiplyAdd(t.a[i*t.aRow+s*t.aStep], t.b[s*t.bStep+j], sum)
			}
			sum = times(sum, t.alpha)
			if t.beta != 0 {
				sum = multiplyAdd(t.beta, row[j], sum)
			}
			row[j] = sum
		}
	}
}

// rowsOf is one call of a packing routine, which copies rows×cols elements of src to
// dst, or the transpose of cols×rows. The assembly knows the order of the fields.
type rowsOf[T Float] struct {
	dst        []T
	dstRow     int
	src        []T
	srcRow     int
	rows, cols int // of dst, 1 at least
}

// copyGo copies rows.
func copyGo[T Float](t *rowsOf[T]) {
	for i := range t.rows {
		copy(t.dst[i*t.dstRow:][:t.cols], t.src[i*t.srcRow:][:t.cols])
	}
}

// transposeGo makes columns of rows.
func transposeGo[T Float](t *rowsOf[T]) {
	for j := range t.cols {
		row := t.src[j*t.srcRow:][:t.rows]
		for i, v := range row {
			t.dst[i*t.dstRow+j] = v
		}
	}
}
