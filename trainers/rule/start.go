package rule

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Start starts the rule of an optimizer. It reports one that returned neither a rule nor an
// error.
func Start(o Optimizer, t *Task) (Rule, error) {
	r, err := o.Start(t)
	if err == nil && graph.IsNil(r) {
		return nil, errors.Errorf("trainers: starting %s: it returned neither a rule nor an error", o.Name())
	}
	return r, err
}

// Directions are those of a step of the rule r of o, which moves params. It reports a panic,
// and directions that are missing or not of their parameters' dtype and shape: as bits they
// would move the weights anywhere.
func Directions(o Optimizer, r Rule, params []*graph.Param, in Input) (d []*tensor.Dense, err error) {
	defer func() {
		if p := recover(); p != nil {
			d, err = nil, errors.Errorf("directions of %s: %v", o.Name(), p)
		}
	}()
	if d, err = r.Directions(in); err == nil {
		err = checkDirections(params, d, in.G)
	}
	if err != nil {
		return nil, errors.WithMessagef(err, "directions of %s", o.Name())
	}
	return d, nil
}

// checkDirections reports those that do not fit the parameters. Gradients do.
func checkDirections(params []*graph.Param, d, g []*tensor.Dense) error {
	if len(d) != len(params) {
		return graph.ErrShape.Errorf("there are %d directions for %d parameters", len(d), len(params))
	}
	for i, p := range params {
		switch {
		case d[i] == nil:
			return errors.Errorf("there is none of %q", p.Name)
		case i < len(g) && d[i] == g[i]:
		case d[i].Dtype() != p.Value.Dtype():
			return graph.ErrDtype.Errorf("that of %q is %v, not %v", p.Name, d[i].Dtype(), p.Value.Dtype())
		case !apoops.SameShape(d[i].Shape(), p.Value.Shape()):
			return graph.ErrShape.Errorf("that of %q has shape %v, not %v", p.Name, d[i].Shape(), p.Value.Shape())
		case !graph.RowMajor(d[i]):
			return errors.Errorf("that of %q is a view or column-major: clone it in row-major order", p.Name)
		}
	}
	return nil
}
