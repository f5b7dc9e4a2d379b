package graph

import (
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Array is a value as an array over the same memory: a number is one of shape (1).
// ok is false for values that are neither a *tensor.Dense nor a float32, float64 or
// int number.
func Array(v gorgonia.Value) (a *tensor.Dense, ok bool) {
	switch v := v.(type) {
	case *tensor.Dense:
		if v.Dims() > 0 {
			return v, true
		}
		return alias(v, tensor.Shape{1}), true
	case *gorgonia.I:
		return tensor.New(tensor.WithShape(1), tensor.WithBacking(unsafe.Slice((*int)(v), 1))), true
	}
	a = apoops.NumberArray(v)
	return a, a != nil
}

// Leaves are the nodes that the arrays X of a batch are the values of: Inputs, which
// are data, and behind them the fixed ones: Fixed, and those that are listed nowhere
// but have a value. data is the number of the former.
func (q *Problem) Leaves() (all gorgonia.Nodes, data int) {
	listed := make(map[*gorgonia.Node]bool)
	for _, n := range slices.Concat(q.Inputs, q.Targets, q.Params, q.Fixed) {
		listed[n] = true
	}
	all = append(slices.Clone(q.Inputs), q.Fixed...)
	used := q.used()
	var unlisted gorgonia.Nodes
	for n := range used {
		if n.Op() == nil && !listed[n] && n.Value() != nil {
			unlisted = append(unlisted, n)
		}
	}
	slices.SortFunc(unlisted, func(a, b *gorgonia.Node) int { return int(a.ID() - b.ID()) })
	for _, n := range unlisted {
		q.notes.add(fmt.Sprintf("%s is listed neither as an input, a target nor a parameter, but has a value: all passes read it as it is at the step. List it in Fixed if it is no data, in Inputs if it is.", describe(n)))
	}
	return append(all, unlisted...), len(q.Inputs)
}

// used are the nodes that cost and output are computed from.
func (q *Problem) used() map[*gorgonia.Node]bool {
	used := ancestors(q.Cost)
	if q.Output != nil {
		for n := range ancestors(q.Output) {
			used[n] = true
		}
	}
	return used
}

// leavesOf maps the user's leaves to those of a pass, given as pairs of lists. Arrays
// of shape (1) stand for numbers.
func leavesOf(lists [][2]gorgonia.Nodes) (map[*gorgonia.Node]*gorgonia.Node, error) {
	leaf := make(map[*gorgonia.Node]*gorgonia.Node)
	for _, list := range lists {
		for i, n := range list[1] {
			old := list[0][i]
			if old.IsScalar() && !n.IsScalar() {
				var err error
				if n, err = apoops.Reshape(n); err != nil {
					return nil, err
				}
			}
			leaf[old] = n
		}
	}
	return leaf, nil
}

// leafShape is the shape that the values of a leaf have as arrays.
func leafShape(n *gorgonia.Node) tensor.Shape {
	if n.IsScalar() {
		return tensor.Shape{1}
	}
	return n.Shape().Clone()
}

// unnamed reports whether a leaf was given no name: Gorgonia then makes one of its op,
// which is nil.
func unnamed(n *gorgonia.Node) bool { return n.Op() == nil && n.Name() == "%!s(<nil>)()" }

// paramNames are the names of the parameters, each once: the nodes' own, but those
// without one are called param0, param1, … by their place in the list, and of those
// that share one the second and later ones get their place behind it, as in w#3.
func paramNames(nodes gorgonia.Nodes) []string {
	names := make([]string, len(nodes))
	taken := make(map[string]bool)
	for i, n := range nodes {
		if !unnamed(n) && !taken[n.Name()] {
			names[i] = n.Name()
			taken[names[i]] = true
		}
	}
	for i, n := range nodes {
		if names[i] != "" {
			continue
		}
		names[i] = fmt.Sprintf("param%d", i)
		if !unnamed(n) {
			names[i] = fmt.Sprintf("%s#%d", n.Name(), i)
		}
		for taken[names[i]] {
			names[i] += "'"
		}
		taken[names[i]] = true
	}
	return names
}
