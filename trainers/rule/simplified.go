package rule

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/graph"
)

// Simplified collects the blocks that a rule treats in a simpler form than its own, by
// reason, in the order in which reasons come up. The zero value has none.
type Simplified struct {
	reasons []string
	blocks  map[string][]string
}

// Add adds a block.
func (s *Simplified) Add(b graph.Block, reason string) {
	if s.blocks == nil {
		s.blocks = make(map[string][]string)
	}
	if s.blocks[reason] == nil {
		s.reasons = append(s.reasons, reason)
	}
	s.blocks[reason] = append(s.blocks[reason], b.Name)
}

// Lines are the notes of an optimizer that takes form for these blocks.
func (s *Simplified) Lines(optimizer, form string) []string { return s.lines(optimizer, form+" for") }

// Sides are Lines for blocks with that form on one side or both.
func (s *Simplified) Sides(optimizer, form string) []string {
	return s.lines(optimizer, form+" on a side of")
}

func (s *Simplified) lines(optimizer, form string) []string {
	var all []string
	for _, reason := range s.reasons {
		all = append(all, fmt.Sprintf("%s: %s %s: %s", optimizer, form, strings.Join(s.blocks[reason], ", "), reason))
	}
	return all
}

// TooLarge reports whether a matrix has more rows or columns than maxDim, 0 for no
// limit.
func TooLarge(b graph.Block, maxDim int) bool { return maxDim > 0 && max(b.Rows, b.Cols) > maxDim }

// NoMatrix is the reason that a block is no weight matrix.
const NoMatrix = "no weight matrix"

// Beyond is the reason that a block exceeds max_dim.
func Beyond(maxDim int) string { return fmt.Sprintf("more than %d rows or columns (max_dim)", maxDim) }

// DefaultMaxDim lets the widest layers of ResNet-18 and VGG16 (4609 rows) have
// their matrices.
const DefaultMaxDim = 5000
