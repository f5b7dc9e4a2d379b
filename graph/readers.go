package graph

import "gorgonia.org/gorgonia"

// readers are, for each node that cost or output are computed from, the nodes among
// these that read it, as often as they do; the output itself is read by the user, of
// whom it stands in the list.
func (q *Problem) readers() map[*gorgonia.Node]gorgonia.Nodes {
	all := ancestors(q.Cost)
	for n := range ancestors(q.Output) {
		all[n] = true
	}
	readers := map[*gorgonia.Node]gorgonia.Nodes{q.Output: {q.Output}}
	for n := range all {
		for _, c := range children(n) {
			readers[c] = append(readers[c], n)
		}
	}
	return readers
}
