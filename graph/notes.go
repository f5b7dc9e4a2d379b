package graph

import "slices"

// Notes name what the passes rebuilt so far compute differently from the user's own
// machine, and faults of that machine which they found: one sentence each, with the
// node's name.
func (q *Problem) Notes() []string { return slices.Clone(q.notes.lines) }

// notes are sentences in the order in which they came up, each once.
type notes struct{ lines []string }

func (s *notes) add(line string) {
	if !slices.Contains(s.lines, line) {
		s.lines = append(s.lines, line)
	}
}
