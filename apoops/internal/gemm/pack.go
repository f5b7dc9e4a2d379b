package gemm

// panelStrides are the distances of rows and of steps in a packed panel of A. A row lies
// in one piece, as A has it, or the elements of all rows for one step, as Aᵀ has them.
func (w *worker[T]) panelStrides(steps int) (row, step int) {
	if w.a.trans {
		return 1, w.machine.rows
	}
	// A line more than a row has, or rows of 2048 bytes would be in each other's way
	// in the first cache.
	return steps + line/sizeOf[T](), 1
}

// panelSize is the number of elements of a packed panel of A.
func (w *worker[T]) panelSize(steps int) int {
	row, step := w.panelStrides(steps)
	return max(row*w.machine.rows, step*steps)
}

// packPanels packs the panels [panel, panels) of the block of steps from first on.
func (w *worker[T]) packPanels(panel, panels, first int) {
	steps := w.call.k
	some := steps
	if w.a.trans {
		some = packSteps
	}
	for s := 0; s < steps; s += some {
		for i := panel; i < panels; i++ {
			w.packPanel(w.packed[(i-panel)*w.panelSize(steps):], i*w.machine.rows, first, s, min(some, steps-s))
		}
	}
}

// packPanel packs the count steps from step s on of a block, for the panel that begins
// at a row of A.
func (w *worker[T]) packPanel(dst []T, row, first, s, count int) {
	t := &w.rows
	rows := min(w.machine.rows, w.m-row)
	t.dst, t.src, t.srcRow = dst, w.a.from(row, first+s), w.a.ld
	if w.a.trans {
		t.dst, t.dstRow, t.rows, t.cols = dst[s*w.machine.rows:], w.machine.rows, count, rows
		w.machine.copy(t)
		return
	}
	t.dstRow, _ = w.panelStrides(w.call.k)
	t.rows, t.cols = rows, count
	copyGo(t)
}

// packStrip packs the strip of B from column col on: the elements of all columns for
// one step side by side. What a kernel reads beyond the last column has no meaning.
func (w *worker[T]) packStrip(dst []T, col, first, steps int) {
	cols := w.machine.cols
	w.rows = rowsOf[T]{dst: dst, dstRow: cols, src: w.b.from(first, col), srcRow: w.b.ld, rows: steps, cols: min(cols, w.n-col)}
	if w.b.trans {
		w.machine.transpose(&w.rows)
	} else {
		w.machine.copy(&w.rows)
	}
}
