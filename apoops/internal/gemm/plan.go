package gemm

const (
	// stepBytes is the most that a row of a block of A has: so many steps make a sum in
	// registers before it is added to C. It decides the bits of results.
	stepBytes = 2048
	// packedBytes is about the most of A that is packed at once.
	packedBytes = 4 << 20
	// blockRows is about the number of rows of A of which one block of steps stays in
	// the second cache.
	blockRows = 448
	// groupStrips is the most strips of B that a task packs at once.
	groupStrips = 4
	// fewestTasks keeps all cores busy to the end.
	fewestTasks = 16
	// directStrips is the most strips of B for which A is not packed: it is read once
	// for each.
	directStrips = 2
	// packGrain is the number of panels that are packed at once.
	packGrain = 8
	// packSteps is the number of steps of Aᵀ that are packed for one panel after the
	// other: its panels share lines of memory.
	packSteps = 32
	// coresFrom is the number of multiplications from which all cores work.
	coresFrom = 1 << 18
)

// plan is how a product is cut. It follows from the shape and the kernel's tile alone,
// the cut into blocks of steps from the shape.
type plan struct {
	step          int // the steps of a block
	height, depth int // the rows and steps of A that are packed at once
	strips        int // the strips of columns, each as wide as a kernel
	tall, group   int // the panels of rows and the strips of a task
	direct        bool
}

// newPlan is the plan for m×k times k×n with a kernel for a tile of rows×cols elements
// of so many bytes.
func newPlan(rows, cols, size, m, n, k int) plan {
	most := stepBytes / size
	p := plan{step: (pieces(k, pieces(k, most)) + 3) &^ 3, strips: pieces(n, cols)}
	p.direct = p.strips <= directStrips
	p.height = min(m, pieces(packedBytes/size/most, rows)*rows)
	p.depth = max(1, packedBytes/size/p.height/p.step) * p.step

	panels := pieces(p.height, rows)
	p.tall = pieces(panels, pieces(p.height, blockRows))
	p.group = min(groupStrips, p.strips)
	for p.group > 1 && pieces(panels, p.tall)*pieces(p.strips, p.group) < fewestTasks {
		p.group--
	}
	if tasks := pieces(panels, p.tall) * p.strips; p.group == 1 && tasks < fewestTasks {
		p.tall = max(1, pieces(p.tall*tasks, fewestTasks))
	}
	return p
}
