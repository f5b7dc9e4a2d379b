package gemm

import "github.com/apo-gorgonia/apo/apoops/par"

// product is one product. C is cut into tasks, each of some rows and some columns, that
// know nothing of one another: each packs what it needs of A and of B.
type product[T Float] struct {
	machine     *machine[T]
	lower       bool // tiles above the diagonal are left out
	m, n, k     int
	alpha, beta T
	a, b        matrix[T]
	c           []T
	ldc         int
	plan
	tasks func(lo, hi int)
}

func newProduct[T Float]() *product[T] {
	p := new(product[T])
	p.tasks = p.runTasks
	return p
}

// run computes the product on so many cores, if there is enough to do.
func (p *product[T]) run(cores int) {
	p.plan = newPlan(p.machine.rows, p.machine.cols, sizeOf[T](), cores, p.lower, p.b.trans, p.m, p.n, p.k)
	if count := p.down * p.across; count > 1 {
		par.For(count, 1, p.tasks)
	} else {
		p.runTasks(0, count)
	}
}

// runTasks computes the tasks [lo, hi).
func (p *product[T]) runTasks(lo, hi int) {
	w := workers[T]().Get().(*worker[T])
	w.product = p
	for i := lo; i < hi; i++ {
		w.run(p.task(i))
	}
	w.free()
}
