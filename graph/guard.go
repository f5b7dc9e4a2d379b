package graph

import (
	"reflect"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// unlock ends the building of a graph. It turns a panic of Gorgonia's, or of a
// function that builds a part of it, into an error.
func unlock(err *error) {
	building.Unlock()
	if r := recover(); r != nil {
		*err = errors.Errorf("graph: building: %v", r)
	}
}

// built is the node that a function made for what, or an error that says that it
// made none.
func built(n *gorgonia.Node, err error, what string) (*gorgonia.Node, error) {
	if err == nil && n == nil {
		err = errors.New("it returned neither a node nor an error")
	}
	return n, errors.Wrapf(err, "graph: %s", what)
}

// sampled are the targets that a Sampler makes.
func sampled(sample Sampler, y *gorgonia.Node, noise *apoops.Random, what string) (gorgonia.Nodes, error) {
	t, err := sample(y, noise)
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
