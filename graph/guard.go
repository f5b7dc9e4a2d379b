package graph

import (
	"fmt"

	"reflect"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// errSameHash is about nodes that Gorgonia would take for one: it knows nodes by
// 32-bit hashes of their type, shape, op and operands.
var errSameHash = errors.New("nodes have the same hash")

// attempts is how often a graph is built in which nodes have the same hash. Of a
// thousand nodes two have by chance one time in ten thousand.
const attempts = 4

// renaming is before the names of the leaves that are made, so that the hashes of
// another attempt are other ones. It belongs to the holder of building.
var renaming string

// construct builds a graph, again where nodes have the same hash. It turns a panic of
// Gorgonia's, or of a function that builds a part of the graph, into an error.
func construct[T any](build func() (T, error)) (v T, err error) {
	building.Lock()
	defer func() {
		renaming = ""
		building.Unlock()
		if r := recover(); r != nil {
			err = errors.Errorf("graph: building: %v", r)
		}
	}()
	for i := range attempts {
		if i > 0 {
			renaming = fmt.Sprintf("%d: ", i+1)
		}
		if v, err = build(); !errors.Is(err, errSameHash) {
			return v, err
		}
	}
	return v, err
}

// errNothing is about a function that should build a part of a graph.
var errNothing = errors.New("it returned neither a node nor an error")

// built is the node that a function made for what, or an error that says that it
// made none.
func built(n *gorgonia.Node, err error, what string) (*gorgonia.Node, error) {
	if err == nil && n == nil {
		err = errNothing
	}
	return n, errors.Wrapf(err, "graph: %s", what)
}

// sampled are the targets that a Sampler makes.
func sampled(sample Sampler, y *gorgonia.Node, x gorgonia.Nodes, noise *apoops.Random, what string) (gorgonia.Nodes, error) {
	t, err := sample(y, x, noise)
	if err == nil && (len(t) == 0 || slices.Contains(t, nil)) {
		err = errors.New("it returned neither nodes nor an error")
	}
	return t, errors.Wrapf(err, "graph: %s", what)
}

// IsNil reports whether v is nil or a nil pointer, map, slice or function within an
// interface.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan, reflect.Interface:
		return r.IsNil()
	}
	return false
}
