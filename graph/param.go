package graph

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Param is one array of a model: learned, Frozen or, with Statistic, moved by the model
// itself.
type Param struct {
	// Name is unique within the model, such as "fc1" or "bn2/scale".
	Name string
	// Value holds the weights; it is changed in place by training.
	Value *tensor.Dense
	// Matrix is true for a layer's weights, with the bias as their last row
	// (inputs+1)×outputs: the form that Eq. 9 and the KFAC family precondition.
	// Other parameters get a diagonal preconditioner.
	Matrix bool
	// Bias marks a Matrix whose last row is the bias.
	Bias bool
	// Kernel has the rows and columns of a convolution whose Matrix acts on patches, in
	// the order channel, row, column; zeros for other parameters. Exports to other programs
	// need it.
	Kernel [2]int
	// Statistic marks an array that is not learned, such as a running mean of
	// batch normalisation: nothing is differentiated by it, update rules, decay,
	// clipping and discrepancies leave it out, and it is the same at θ and θ'. A model
	// moves it with Pass.Track. It is no Matrix.
	Statistic bool
	// Frozen marks weights that stay as they are: they are left out wherever a Statistic
	// is, and have a place in the model, a dtype and a Matrix as learned ones do.
	Frozen bool
	// Kind is the kind of the layer that the array is of, such as "dense"; "" where that is
	// not known.
	Kind string
}

// learned reports whether the parameter is trained.
func (p *Param) learned() bool { return !p.Statistic && !p.Frozen }

// CheckParams reports lists without learned parameters, missing or repeated
// names, missing values, dtypes that differ or are not float32 or float64, and
// statistics marked as matrices.
func CheckParams(params []*Param) error {
	seen := make(map[string]bool, len(params))
	for i, p := range params {
		switch {
		case p == nil || p.Value == nil:
			return errors.Errorf("graph: parameter %d has no value", i)
		case p.Name == "":
			return errors.Errorf("graph: parameter %d has no name", i)
		case seen[p.Name]:
			return errors.Errorf("graph: two parameters are named %q", p.Name)
		case !apoops.IsFloat(p.Value.Dtype()):
			return ErrDtype.Errorf("graph: parameter %q is of dtype %v, not float32 or float64", p.Name, p.Value.Dtype())
		case p.Value.Dtype() != params[0].Value.Dtype():
			return ErrDtype.Errorf("graph: parameter %q is of dtype %v, %q of %v", p.Name, p.Value.Dtype(), params[0].Name, params[0].Value.Dtype())
		case p.Matrix && p.Statistic:
			return errors.Errorf("graph: parameter %q is marked a matrix and a statistic: statistics have no preconditioner", p.Name)
		case p.Matrix && p.Value.Dims() != 2:
			return ErrShape.Errorf("graph: parameter %q is marked a matrix but has shape %v", p.Name, p.Value.Shape())
		case !RowMajor(p.Value):
			return errors.Errorf("graph: parameter %q is a view or column-major: clone it in row-major order", p.Name)
		}
		seen[p.Name] = true
	}
	if len(Learned(params)) == 0 {
		return errors.New("graph: the model has no parameters to learn")
	}
	return nil
}

// Learned are the parameters that are neither statistics nor frozen, in the model's order:
// the list that gradients, blocks, groups and lookaheads go by.
func Learned(params []*Param) []*Param {
	return slices.DeleteFunc(slices.Clone(params), func(p *Param) bool { return !p.learned() })
}

// learnedOf picks the nodes of the learned parameters from those of all.
func learnedOf(params []*Param, theta gorgonia.Nodes) gorgonia.Nodes {
	var learned gorgonia.Nodes
	for i, p := range params {
		if p.learned() {
			learned = append(learned, theta[i])
		}
	}
	return learned
}

// withLearned is theta with other nodes for the learned parameters.
func withLearned(params []*Param, theta, learned gorgonia.Nodes) gorgonia.Nodes {
	all := slices.Clone(theta)
	next := 0
	for i, p := range params {
		if p.learned() {
			all[i] = learned[next]
			next++
		}
	}
	return all
}
