package curvature

import (
	"fmt"
	"testing"

	"github.com/apo-gorgonia/apo/graph"
)

// TestLargestFirst orders by both factors and leaves equals as they are.
func TestLargestFirst(t *testing.T) {
	var layers []*factors[float32]
	for i, size := range [][2]int{{3, 2}, {50, 1}, {7, 90}, {1, 50}, {60, 60}} {
		layers = append(layers, &factors[float32]{Block: graph.Block{Rows: size[0], Cols: size[1]}, block: i})
	}
	var order []int
	for _, l := range largestFirst(layers) {
		order = append(order, l.block)
	}
	if got := fmt.Sprint(order); got != "[2 4 1 3 0]" {
		t.Errorf("order %v", got)
	}
}
