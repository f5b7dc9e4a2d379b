package gemm

import (
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// product is one product. C is cut into tasks: the rows of a block and the columns of
// a few strips, each as wide as a kernel. A is packed once for all of them, B by each
// task.
type product[T Float] struct {
	machine     *machine[T]
	cores       bool
	lower       bool // tiles above the diagonal are left out
	m, n, k     int
	alpha, beta T
	a, b        matrix[T]
	c           []T
	ldc         int
	plan
	top, panels int // the panels of rows of A that are worked on begin at row top
	first, last int // so do the steps
	packed      []T // A's panels, those of one block of steps after the other
	pack, tasks func(lo, hi int)
}

func newProduct[T Float]() *product[T] {
	p := new(product[T])
	p.pack, p.tasks = p.packPanels, p.runTasks
	return p
}

// run computes the product.
func (p *product[T]) run() {
	p.plan = newPlan(p.machine.rows, p.machine.cols, sizeOf[T](), p.m, p.n, p.k)
	cores := p.cores && float64(p.m)*float64(p.n)*float64(p.k) >= coresFrom
	for p.top = 0; p.top < p.m; p.top += p.height {
		p.panels = pieces(min(p.height, p.m-p.top), p.machine.rows)
		for p.first = 0; p.first < p.k; p.first += p.depth {
			p.last = min(p.first+p.depth, p.k)
			if !p.direct {
				p.packed = scratch.Get[T](p.panels * p.machine.rows * (p.last - p.first))
				loop(cores, p.panels*pieces(p.last-p.first, p.step), packGrain, p.pack)
			}
			loop(cores, pieces(p.panels, p.tall)*pieces(p.strips, p.group), 1, p.tasks)
			if !p.direct {
				scratch.Put(p.packed)
			}
		}
	}
	p.packed = nil
}

// loop is par.For, or the loop on the calling goroutine alone.
func loop(cores bool, n, grain int, body func(lo, hi int)) {
	if cores {
		par.For(n, grain, body)
		return
	}
	body(0, n)
}

func pieces(n, length int) int { return (n + length - 1) / length }
