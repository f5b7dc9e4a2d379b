package gemm

import (
	"sync"
	"unsafe"

	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
)

// line is the number of bytes of a line of memory.
const line = 64

// worker computes tasks, one after the other.
type worker[T Float] struct {
	*product[T]
	call   call[T]
	rows   rowsOf[T]
	strip  []T // the packed strips of B of one block of steps, at the beginning of a line
	packed []T // the packed panels of A of one block of steps
}

func newWorker[T Float]() *worker[T] {
	size := sizeOf[T]()
	w := new(worker[T])
	all := make([]T, (groupStrips*widest*stepBytes+line)/size)
	from := (line - int(uintptr(unsafe.Pointer(&all[0]))%line)) % line / size
	w.strip = all[from:][:groupStrips*widest*stepBytes/size]
	return w
}

// widest is the largest number of columns of a kernel.
const widest = 32

var (
	workers32 = sync.Pool{New: func() any { return newWorker[float32]() }}
	workers64 = sync.Pool{New: func() any { return newWorker[float64]() }}
)

func workers[T Float]() *sync.Pool {
	if single[T]() {
		return &workers32
	}
	return &workers64
}

// free gives the worker back.
func (w *worker[T]) free() {
	w.product, w.call, w.rows = nil, call[T]{}, rowsOf[T]{}
	workers[T]().Put(w)
}

// run computes the panels [panel, panels) and the strips [strip, strips) of C.
func (w *worker[T]) run(panel, panels, strip, strips int) {
	if w.lower {
		strips = min(strips, pieces(panels*w.machine.rows, w.machine.cols))
		panel = max(panel, strip*w.machine.cols/w.machine.rows)
	}
	if panel >= panels || strip >= strips {
		return
	}
	t := &w.call
	t.alpha, t.cRow = w.alpha, w.ldc
	direct := strips-strip <= directStrips && !w.a.collides()
	if !direct {
		w.packed = scratch.Get[T](min(w.height, panels-panel) * w.panelSize(min(w.step, w.k)))
	}
	for first := 0; first < w.k; first += w.step {
		t.k, t.beta = min(w.step, w.k-first), 1
		if first == 0 {
			t.beta = w.beta
		}
		for from := panel; from < panels; from += w.height {
			to := min(from+w.height, panels)
			if !direct {
				w.packPanels(from, to, first)
			}
			for s := strip; s < strips; s += groupStrips {
				w.block(direct, from, to, s, min(s+groupStrips, strips), first)
			}
		}
	}
	if !direct {
		scratch.Put(w.packed)
		w.packed = nil
	}
}

// block adds the products of a block of steps to the panels [panel, panels) and the
// strips [strip, strips) of C.
func (w *worker[T]) block(direct bool, panel, panels, strip, strips, first int) {
	rows, cols := w.machine.rows, w.machine.cols
	t := &w.call
	t.aRow, t.aStep = w.panelStrides(t.k)
	if direct {
		t.aRow, t.aStep = w.a.strides()
	}
	for s := strip; s < strips; s++ {
		t.cols = min(cols, w.n-s*cols)
		if !w.b.trans && panels-panel <= directPanels && t.cols == cols {
			t.b, t.bStep = w.b.from(first, s*cols), w.b.ld
		} else {
			t.b, t.bStep = w.strip[(s-strip)*cols*t.k:], cols
			w.packStrip(t.b, s*cols, first, t.k)
		}
		from := panel
		if w.lower {
			from = max(panel, s*cols/rows)
		}
		for i := from; i < panels; i++ {
			row := i * rows
			if direct {
				t.a = w.a.from(row, first)
			} else {
				t.a = w.packed[(i-panel)*w.panelSize(t.k):]
			}
			t.rows, t.c = min(rows, w.m-row), w.c[row*w.ldc+s*cols:]
			w.machine.kernel(t)
		}
	}
}
