package gemm

import "math"

const (
	// stepBytes is the most that a row of a block of A has: so many steps make a sum in
	// registers before it is added to C.
	stepBytes = 2048
	// blockRows is about the most rows of A of which one block of steps is packed at
	// once: it stays in the second cache.
	blockRows = 448
	// groupStrips is the most strips of B that are packed at once.
	groupStrips = 4
	// directStrips is the most strips of B for which A is not packed: it is read once
	// for each. So is B for directPanels panels of A.
	directStrips, directPanels = 2, 2
	// packSteps is the number of steps of Aᵀ that are packed for one panel after the
	// other: its panels share lines of memory.
	packSteps = 32
	// taskFrom is the fewest multiplications of a task, mostTasks the most tasks; the
	// number of tasks is a power of 2.
	taskFrom, mostTasks = 1 << 18, 16
	// panelTime and stripTime are the times of packing one step of a panel of A and of a
	// strip of B, turnTime that of a strip of Bᵀ, tileTime that of a kernel's step.
	panelTime, stripTime, turnTime, tileTime = 5, 4, 12, 28
)

// plan is how a product is cut. The cut into blocks of steps follows from their number
// alone: it decides the bits of results.
type plan struct {
	step           int // the steps of a block
	panels, strips int // of rows and of columns, each as wide as a kernel
	down, across   int // the cut of them into tasks
	height         int // the panels that are packed at once
}

// newPlan is the plan of a product for a kernel with a tile of rows×cols elements of so
// many bytes, on so many cores.
func newPlan(rows, cols, size, cores int, lower, transB bool, m, n, k int) plan {
	most := stepBytes / size
	p := plan{step: (pieces(k, pieces(k, most)) + 3) &^ 3, panels: pieces(m, rows), strips: pieces(n, cols)}
	count := 1
	for count < mostTasks && float64(m)*float64(n)*float64(k) >= 2*taskFrom*float64(count) {
		count *= 2
	}
	switch {
	case cores == 1:
		p.cut(1, 1, cores, transB)
	case lower: // tasks are as unequal as they are few
		p.cut(count, count, cores, transB)
	default:
		p.cut(1, count, cores, transB)
	}
	tall := pieces(p.panels, p.down)
	p.height = pieces(tall, pieces(tall, blockRows/rows))
	return p
}

// cut chooses among the cuts into fewest to about most tasks the one that takes the
// shortest time by the bound of R. Graham for lists of tasks: what all take, shared by the
// cores, and what the other cores wait for the largest.
func (p *plan) cut(fewest, most, cores int, transB bool) {
	stripTime := stripTime
	if transB {
		stripTime = turnTime
	}
	best := math.Inf(1)
	for c := fewest; c <= most; c *= 2 {
		for down := 1; down <= c; down *= 2 {
			down, across := min(down, p.panels), min(c/down, p.strips)
			tall, wide := pieces(p.panels, down), pieces(p.strips, across)
			all := tileTime*p.panels*p.strips + panelTime*p.panels*across + stripTime*p.strips*down
			largest := tileTime*tall*wide + panelTime*tall + stripTime*wide
			if time := float64(all+(cores-1)*largest) / float64(cores); time < best {
				best, p.down, p.across = time, down, across
			}
		}
	}
}

// task is the panels and strips of task i.
func (p *plan) task(i int) (panel, panels, strip, strips int) {
	row, col := i/p.across, i%p.across
	return row * p.panels / p.down, (row + 1) * p.panels / p.down, col * p.strips / p.across, (col + 1) * p.strips / p.across
}

func pieces(n, length int) int { return (n + length - 1) / length }
