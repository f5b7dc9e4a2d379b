package blas

// tile is the size of the pieces that C is cut into. It follows from the shape
// of the product alone: a library chooses its kernels, and with them the order
// of its sums, by the shape of a call, so that the same bits on any number of
// cores need the same calls. The inner dimension is never cut.
type tile struct{ rows, cols int }

const (
	// tileFrom is the number of multiplications from which a product is cut.
	tileFrom = 1 << 19
	// tileWork is the number of multiplications above which a product is cut into
	// more than the fewest tiles: each tile copies its operands anew.
	tileWork = 1 << 29
	// fewestTiles keeps two cores and four cores equally busy.
	fewestTiles, mostTiles = 4, 16
	// rowUnit and columnUnit are multiples of what kernels work on.
	rowUnit, columnUnit = 8, 16
	// bothFrom is the number of rows and columns from which both are cut.
	bothFrom = 2048
)

// cut is the tile of a product of m×k and k×n.
func cut(m, n, k int) tile {
	work := float64(m) * float64(n) * float64(k)
	if work < tileFrom {
		return tile{max(m, 1), max(n, 1)}
	}
	count := fewestTiles
	for count < mostTiles && work > tileWork*float64(count) {
		count *= 2
	}
	across := 1 // pieces of the shorter side
	if min(m, n) >= bothFrom && count > fewestTiles {
		across = 2
		if count == mostTiles {
			across = 4
		}
	}
	if m > n {
		return tile{length(m, count/across, rowUnit), length(n, across, columnUnit)}
	}
	return tile{length(m, across, rowUnit), length(n, count/across, columnUnit)}
}

// length is that of so many pieces of n, a multiple of unit.
func length(n, count, unit int) int {
	if count == 1 {
		return n
	}
	return pieces(pieces(n, count), unit) * unit
}

// pieces is the number of pieces of a length that make n.
func pieces(n, length int) int { return (n + length - 1) / length }

// count is the number of tiles of an m×n matrix.
func (t tile) count(m, n int) int { return pieces(m, t.rows) * pieces(n, t.cols) }

// at is the row and the column at which tile i of a matrix of n columns begins,
// counted row by row.
func (t tile) at(i, n int) (row, col int) {
	across := pieces(n, t.cols)
	return i / across * t.rows, i % across * t.cols
}
