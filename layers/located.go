package layers

// located is an error of a layer, with the path to it.
type located struct {
	path string
	err  error
}

func (l *located) Error() string { return l.path + ": " + l.err.Error() }
func (l *located) Unwrap() error { return l.err }

// within says of an error that it is of the layer name, or of a layer in it.
func within(name string, err error) error {
	if inner, ok := err.(*located); ok {
		return &located{join(name, inner.path), inner.err}
	}
	return &located{name, err}
}

// join is the name of a parameter or layer within another; the only parameter of
// a layer has its name.
func join(outer, inner string) string {
	if inner == "" {
		return outer
	}
	return outer + "/" + inner
}
