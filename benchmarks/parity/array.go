package parity

import (
	"fmt"

	"github.com/pkg/errors"
)

// entry is a named array. Without dims it is a number.
type entry struct {
	name string
	dims []int
}

// anyRows as the first dim allows any length but 0.
const anyRows = -1

// flatten appends the numbers of nested lists of the given dims to out, row by
// row.
func flatten(out []float64, v any, path string, dims []int) ([]float64, error) {
	if len(dims) == 0 {
		x, ok := v.(float64)
		if !ok {
			return out, errors.Errorf("%s %s, not a number", path, kindOf(v))
		}
		return append(out, x), nil
	}
	list, ok := v.([]any)
	switch {
	case !ok:
		return out, errors.Errorf("%s %s, not a list", path, kindOf(v))
	case len(list) == 0:
		return out, errors.Errorf("%s is empty", path)
	case dims[0] != anyRows && len(list) != dims[0]:
		return out, errors.Errorf("%s has %d entries, not %d", path, len(list), dims[0])
	}
	for i, w := range list {
		if x, ok := w.(float64); ok && len(dims) == 1 { // saves making a path for each number
			out = append(out, x)
			continue
		}
		var err error
		if out, err = flatten(out, w, fmt.Sprintf("%s[%d]", path, i), dims[1:]); err != nil {
			return out, err
		}
	}
	return out, nil
}
