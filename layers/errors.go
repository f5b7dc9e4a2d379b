package layers

// layerError is an error in a layer, with the path to the layer.
type layerError struct {
	path string
	err  error
}

func (e *layerError) Error() string { return e.path + ": " + e.err.Error() }
func (e *layerError) Unwrap() error { return e.err }

// inLayer adds the name of a layer to an error that occurred in it or in a layer
// within it.
func inLayer(name string, err error) error {
	if inner, ok := err.(*layerError); ok {
		return &layerError{join(name, inner.path), inner.err}
	}
	return &layerError{name, err}
}

// join is the name of a parameter or layer within another. A layer's only parameter
// has the name of the layer.
func join(outer, inner string) string {
	if inner == "" {
		return outer
	}
	return outer + "/" + inner
}
