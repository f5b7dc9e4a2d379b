package trainers

import (
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// TildeFrom sets the source of B', the inputs of the function-space term: it is
// called at each meta-step with the step's number, counted from 0. One that changes the
// step's mini-batch is an error: TildeAt of NewBatches has arrays of its own, At and
// BatchAt have those of the mini-batches. A resumed
// run asks for the same numbers again, so an exact resume needs a function of
// the number alone. B' may have other shapes than B, but for a user's graph; each pair of
// shapes has a graph of its own (Graphs). By default B' is the mini-batch of the step
// before or, where batches have different shapes, the last one of the shapes of B; where
// there is none, as at step 0, B itself. FSDFraction takes a part of it. For Precond it is
// a part of B.
func TildeFrom(source func(step int) ([]*tensor.Dense, error)) Option {
	return func(c *config) error {
		if source == nil {
			return errors.New("trainers: TildeFrom: no function")
		}
		c.tilde = source
		return nil
	}
}

// SameBatch measures the loss of Q on the mini-batch B that the step was made from, as the
// paper's Algorithm 1 does, and the meta-step costs a forward and a backward pass more. A step
// always looks good on its own B. Where gradients are noisy, as with small mini-batches,
// dropout or wrong labels, the rates then rise until the net is worse (a larger FSD helps).
//
// By default the loss is that on the next mini-batch, with that step's dropout masks. The
// weights that a step leads to are those of its lookahead, so the next step's gradient gives
// its derivative, before it is clipped: a meta-step begins at step t and ends at step t+1,
// whose Stats.Meta it is. The other terms, on B', are those of step t.
//
// This is about learning rates alone. Precond, PrecondPlain, Calibrated and rates beside other
// hyperparameters always take B: with them SameBatch is an error. A run that is resumed without
// this option goes on as it was.
func SameBatch() Option {
	return func(c *config) error {
		c.give("SameBatch")
		c.NextBatch = false
		return nil
	}
}

// FSDFraction sets the part of the rows of B' on which the function-space discrepancy is
// measured, above 0 and at most 1: max(1, round(fraction·N)) of N rows (images, sentences),
// the same ones of each input. B' is the default's mini-batch or what TildeFrom gives; what
// StepWith is given is taken whole. The rows are spread evenly over the batch, which may be
// sorted, and are others at the next meta-step, so that none is left out for good where a
// batch comes again.
//
// A meta-step on a learning rate costs about 4/3·fraction times what a step costs, and 1 more
// with SameBatch. The discrepancy is a mean over B', so what is expected of it does not change, but where batch
// norm takes the statistics of B'.
//
// The default for one learning rate, learned by Calibrated too, is 1/4, but at least 16 rows
// or, where there are fewer, all. It is 1 with RatePerParam, RateGroups and Groups, and for
// PrecondPlain. A run that is resumed without this option goes on with
// what its checkpoint has. Precond takes Config.Rows of B, and a user's graph (Wrap,
// FromProblem), whose mini-batches are of one size, all rows: there a fraction below 1 is an
// error.
func FSDFraction(fraction float64) Option {
	return func(c *config) error {
		if !(fraction > 0 && fraction <= 1) {
			return errors.Errorf("trainers: FSDFraction(%v): it must be above 0 and at most 1", fraction)
		}
		if fraction < 1 {
			c.give("FSDFraction")
		}
		c.share = share{fraction: fraction, fewest: 1, chosen: true}
		return nil
	}
}

// share says how many rows of a mini-batch B' has.
type share struct {
	fraction float64
	fewest   int  // rows, where there are as many
	chosen   bool // by an option, or there is no choice
	parts    int  // divides them, where it divides the mini-batch; 0 and 1 for any
}

// rows are those of n.
func (s share) rows(n int) int {
	return min(n, rule.Equal(max(s.fewest, int(math.Round(s.fraction*float64(n)))), s.parts))
}

// settleShare takes the default where FSDFraction is not given. grouped says that there are
// several rates.
func (c *config) settleShare(o Optimizer, grouped bool) {
	_, learnsP := learn.UpdaterOf(o)
	switch {
	case c.share.chosen:
	case learnsP || grouped || c.perParam || c.groups != nil:
		c.share = share{fraction: 1, fewest: 1}
	default:
		c.share = share{fraction: 0.25, fewest: 16}
	}
	c.share.parts = c.equalParts()
}

// wholeTilde settles that B' has all its rows, for a graph of the user's that is there.
func (c *config) wholeTilde() error {
	if c.K > 0 && c.share.chosen && c.share.fraction < 1 {
		return errors.Errorf("FSDFraction(%v) for a graph made for mini-batches of one size: B' has that size too", c.share.fraction)
	}
	c.share = share{fraction: 1, fewest: 1, chosen: true}
	return nil
}

// checkTilde reports inputs of B' that are missing or hold NaN, or are not as many as
// the model has.
func checkTilde(x []*tensor.Dense, inputs int) error {
	if len(x) != inputs {
		return ErrShape.Errorf("%d inputs for a model of %d", len(x), inputs)
	}
	return graph.Batch{X: x}.CheckValues()
}

// chooseTilde is the i-th B' of a step: what the caller gave, what the option's
// source gives, one of the earlier mini-batches of the shapes of B, the latest first, or
// B itself where there is none. So the default has as many graphs as B has shapes, not
// as there are pairs of them.
func (e *engine) chooseTilde(batch graph.Batch, given []*tensor.Dense, i int) ([]*tensor.Dense, error) {
	data, fixed := e.split(batch.X)
	var x []*tensor.Dense
	switch {
	case e.c.NoFSD:
		return nil, nil
	case given != nil:
		return given, nil
	case e.c.tilde != nil:
		var err error
		if x, err = e.fromSource(batch, i); err != nil {
			return nil, errors.WithMessage(err, "TildeFrom: function-space batch B'")
		}
	default:
		like, err := e.likeTilde(data)
		if err != nil {
			return nil, err
		}
		if same := e.latest(like); len(same) > 0 {
			x = same[len(same)-1-i%len(same)]
		} else if x, err = e.part(data, e.steps/e.c.K+i); err != nil {
			return nil, err
		}
	}
	return append(slices.Clone(x), fixed...), nil
}

// fromSource is the part of what the option's source gives that is B'.
func (e *engine) fromSource(batch graph.Batch, i int) ([]*tensor.Dense, error) {
	data, _ := e.split(batch.X)
	x, err := e.guard.Call(slices.Concat(data, batch.T), func() ([]*tensor.Dense, error) { return e.c.tilde(e.steps*e.learner.Memory() + i) })
	if err == nil {
		err = checkTilde(x, len(data))
	}
	if err == nil && e.like != nil && !graph.SameShapes(x, e.like[:len(data)]) {
		err = ErrShape.Errorf("it is %v, the graph was made for %v", graph.Batch{X: x}, graph.Batch{X: e.like[:len(data)]})
	}
	if err != nil {
		return nil, err
	}
	return e.part(x, e.steps/e.c.K+i)
}

// likeTilde are arrays of the shapes that B' has where B has those of data: data itself
// where it has all rows.
func (e *engine) likeTilde(data []*tensor.Dense) ([]*tensor.Dense, error) {
	if e.c.share.fraction == 1 {
		return data, nil
	}
	b := graph.Batch{X: data}
	for i, a := range data {
		if a.Dims() == 0 || a.Shape()[0] != b.Len() {
			return nil, ErrShape.Errorf("trainers: FSDFraction takes the same rows of all inputs: input %d has shape %v, the first %d rows", i, a.Shape(), b.Len())
		}
	}
	n := e.c.share.rows(b.Len())
	if n == b.Len() {
		return data, nil
	}
	part, err := b.First(n)
	return part.X, errors.WithMessage(err, "trainers: FSDFraction")
}

// part are the rows of some inputs that B' has at a meta-step: the inputs themselves where
// it has all.
func (e *engine) part(x []*tensor.Dense, metaStep int) ([]*tensor.Dense, error) {
	like, err := e.likeTilde(x)
	if err != nil || slices.Equal(like, x) {
		return x, err
	}
	part := make([]*tensor.Dense, len(x))
	return part, copyTilde(part, x, like, metaStep)
}

// copyTilde copies what part takes, in the shapes of like, to arrays, which it makes where
// they are nil.
func copyTilde(to, x, like []*tensor.Dense, metaStep int) error {
	for i, a := range x {
		n := like[i].Shape()[0]
		switch {
		case n < a.Shape()[0]:
			if to[i] == nil {
				to[i] = array.LikeRows(a, n)
			}
			array.CopyRows(to[i], a, array.Spread(a.Shape()[0], n, metaStep))
		case to[i] == nil:
			to[i] = a.Clone().(*tensor.Dense)
		default:
			if err := tensor.Copy(to[i], a); err != nil {
				return errors.Wrap(err, "trainers: keeping a batch")
			}
		}
	}
	return nil
}

// split divides the inputs of a batch into data and what is no data.
func (e *engine) split(x []*tensor.Dense) (data, fixed []*tensor.Dense) {
	if e.data == 0 || e.data > len(x) {
		return x, nil
	}
	return x[:e.data], x[e.data:]
}

// latest are the kept inputs of the shapes of like, oldest first.
func (e *engine) latest(like []*tensor.Dense) (same [][]*tensor.Dense) {
	for _, k := range e.kept {
		if graph.SameShapes(k, like) {
			same = append(same, k)
		}
	}
	return same
}

// keptShapes limits what is kept: so many mini-batches for each that the learner asks for.
const keptShapes = 16

// keep copies the inputs of a batch that a later step's B' may be: those of the steps
// that the learner names and, where batches have different shapes, of all steps, for the
// next batch may be of any of them.
func (e *engine) keep(batch graph.Batch) error {
	if e.learner == nil || e.c.NoFSD || e.c.tilde != nil {
		return nil
	}
	data, _ := e.split(batch.X)
	like, err := e.likeTilde(data)
	if err != nil {
		return err
	}
	others := func(k []*tensor.Dense) bool { return !graph.SameShapes(k, like) }
	if !e.learner.KeepsInputs(e.taken()-1) && !slices.ContainsFunc(e.kept, others) {
		return nil
	}
	to := make([]*tensor.Dense, len(data))
	switch same := e.latest(like); {
	case len(same) == e.learner.Memory():
		oldest := slices.IndexFunc(e.kept, func(k []*tensor.Dense) bool { return !others(k) })
		e.kept = slices.Delete(e.kept, oldest, oldest+1)
		// Of several, the one that is the oldest from now on becomes the newest too.
		// So it always was, and runs must go on to the same bits.
		to = same[min(1, len(same)-1)]
	case len(e.kept) == keptShapes*e.learner.Memory():
		e.kept = slices.Delete(e.kept, 0, 1)
	}
	if err := copyTilde(to, data, like, e.steps/e.c.K); err != nil {
		return err
	}
	e.kept = append(e.kept, to)
	return nil
}
