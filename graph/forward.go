package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Forward is a graph of results that are computed from inputs and parameters without
// gradients, in evaluation mode.
type Forward struct {
	*program
	results []gorgonia.Value
}

// NewForward builds the graph of what build makes of the inputs and the parameters. Both
// are bound to the memory of their arrays for good: Run takes what is there then.
func NewForward(params []*Param, inputs []*tensor.Dense, build func(p *Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error)) (*Forward, error) {
	return NewForwardIn(Storage{}, params, inputs, build)
}

// NewForwardIn is NewForward with the graph's arrays kept as the storage says.
func NewForwardIn(s Storage, params []*Param, inputs []*tensor.Dense, build func(p *Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error)) (*Forward, error) {
	return construct(func() (*Forward, error) {
		if err := CheckParams(params); err != nil {
			return nil, err
		}
		q, err := newStoredProgram(s, params)
		if err != nil {
			return nil, err
		}
		f := &Forward{program: q}
		x := f.inputsLike(inputs, "x")
		if err := letAll("input", x, inputs); err != nil {
			return nil, err
		}
		seen, theta, err := f.inputsAndWeights(x, params)
		if err != nil {
			return nil, err
		}
		results, err := build(&Pass{Role: EvalRole}, seen, theta)
		if err != nil {
			return nil, err
		}
		f.results = make([]gorgonia.Value, len(results))
		for i, n := range results {
			if n == nil {
				return nil, errors.Errorf("graph: result %d is missing", i)
			}
			gorgonia.Read(n, &f.results[i])
		}
		return f, f.compile()
	})
}

// Result is the i-th node of build after a run, valid until the next run of a graph over
// the same parameters; nil where it is a number.
func (f *Forward) Result(i int) *tensor.Dense {
	y, _ := f.results[i].(*tensor.Dense)
	return y
}

// Number is the i-th node of build after a run, where that is a number.
func (f *Forward) Number(i int) (float64, error) { return ScalarValue(f.results[i]) }
