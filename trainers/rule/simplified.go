package rule

import (
	"fmt"
	"regexp"
	"slices"
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

// Lines are the notes of an optimizer that takes form for these blocks. More than three names
// that differ in numbers alone become one, with * for the numbers and how many there are.
func (s *Simplified) Lines(optimizer, form string) []string { return s.lines(optimizer, form+" for") }

// Sides are Lines for blocks with that form on one side or both.
func (s *Simplified) Sides(optimizer, form string) []string {
	return s.lines(optimizer, form+" on a side of")
}

func (s *Simplified) lines(optimizer, form string) []string {
	var all []string
	for _, reason := range s.reasons {
		all = append(all, fmt.Sprintf("%s: %s %s: %s", optimizer, form, joined(s.blocks[reason]), reason))
	}
	return all
}

// mostNamed is how many names that differ in numbers alone are written out.
const mostNamed = 3

var digits = regexp.MustCompile("[0-9]+")

// joined lists names in their order. More than mostNamed that differ in numbers alone are one
// entry at the place of the first, with * for the numbers: encoder*/norm*/gain (12).
func joined(names []string) string {
	alike := make(map[string]int)
	for _, n := range names {
		alike[digits.ReplaceAllString(n, "*")]++
	}
	var all []string
	for _, n := range names {
		pattern := digits.ReplaceAllString(n, "*")
		if alike[pattern] > mostNamed {
			n = fmt.Sprintf("%s (%d)", pattern, alike[pattern])
		}
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return strings.Join(all, ", ")
}

// TooLarge reports whether a matrix has more rows or columns than maxDim, 0 for no
// limit.
func TooLarge(b graph.Block, maxDim int) bool { return maxDim > 0 && max(b.Rows, b.Cols) > maxDim }

// NoMatrix is the reason that a block is no weight matrix.
const NoMatrix = "no weight matrix"

// UsersGraph is a Source that is a graph of the user's: it takes batches of one size alone,
// that of Example.
type UsersGraph interface{ Example() graph.Batch }

// unpaired is the reason that a bias of a user's graph is no row of its layer's matrix.
const unpaired = "no weight matrix; list the bias of a dense layer with its weights in graph.Problem.Pairs"

// Reason is the reason that a block is simplified, or, for a vector or one row of a user's
// graph that is in no pair, that which says how to make it a part of a matrix.
func (t *Task) Reason(b graph.Block, reason string) string {
	if _, user := t.Source.(UsersGraph); !user || len(b.Params) != 1 {
		return reason
	}
	s := t.Params[b.Params[0]].Value.Shape()
	if s.Dims() == 1 && s[0] > 1 || s.Dims() == 2 && s[0] == 1 {
		return unpaired
	}
	return reason
}

// Beyond is the reason that a block exceeds max_dim.
func Beyond(maxDim int) string { return fmt.Sprintf("more than %d rows or columns (max_dim)", maxDim) }

// DefaultMaxDim lets the widest layers of ResNet-18 and VGG16 (4609 rows) have
// their matrices.
const DefaultMaxDim = 5000
