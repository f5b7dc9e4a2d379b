package graph

import "slices"

// Notes tell what the passes that were rebuilt so far compute otherwise than the
// user's own machine, or have found out about it: a sentence for each thing, once,
// that names the node.
func (q *Problem) Notes() []string { return slices.Clone(q.notes.lines) }

// notes are sentences in the order in which they came up, each once.
type notes struct{ lines []string }

func (s *notes) add(line string) {
	if !slices.Contains(s.lines, line) {
		s.lines = append(s.lines, line)
	}
}
