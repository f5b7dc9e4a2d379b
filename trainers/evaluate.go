package trainers

import (
	"iter"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// Evaluation is the result of Trainer.Evaluate.
type Evaluation struct {
	// Loss is the mean loss over the set, in which a batch has the weight of Loss.Count.
	Loss float64
	// Accuracy is the fraction of rows whose largest output is that of the
	// target class, among those whose target counts (Loss.Counts); NaN where the targets
	// are not class numbers, nor rows of a Loss.Soft, nor, for a user's graph, one-hot rows.
	Accuracy float64
}

// Evaluate computes loss and accuracy on a whole set, in batches of at most
// batchSize rows, in evaluation mode. A set that parts itself (batch.Partitioned), such as
// Sentences, is taken in batches of its own shapes. A loss that is not finite, or an output of
// NaN, is an error (ErrNotFinite). For a user's graph see FromProblem.
// The weights are those of Trainer.Evaluated.
func (t *Trainer) Evaluate(data Dataset, batchSize int) (Evaluation, error) {
	if t.engine == nil {
		return Evaluation{}, errNotMade
	}
	if graph.IsNil(data) {
		return Evaluation{}, errors.New("trainers: no data set to evaluate")
	}
	if err := data.Check(); err != nil {
		return Evaluation{}, err
	}
	if batchSize < 1 {
		return Evaluation{}, errors.Errorf("trainers: evaluating in batches of %d rows", batchSize)
	}
	if err := t.fixed.checkSet(data.Len(), &batchSize); err != nil {
		return Evaluation{}, err
	}
	var s tally
	err := t.engine.withEvaluated(func() error { return t.evaluate(&s, data, batchSize) })
	if err := s.join(t.engine.c.members(), err); err != nil {
		return Evaluation{}, err
	}
	e := Evaluation{Loss: s.loss / s.weights, Accuracy: math.NaN()}
	if s.unlabelled == 0 {
		e.Accuracy = s.right / s.counted
	}
	return e, nil
}

// evaluate counts the batches of a set that this member evaluates.
func (t *Trainer) evaluate(s *tally, data Dataset, batchSize int) error {
	for lo, b := range evaluationBatches(data, batchSize, t.engine.c.members()) {
		classes, ok := t.classes(b)
		if !ok {
			s.unlabelled++
		}
		g, err := t.evaluation(b)
		if err != nil {
			return errors.WithMessage(err, "trainers: evaluating")
		}
		if err := g.CheckFinite(); err != nil {
			return errors.WithMessagef(err, "trainers: evaluating rows %d to %d", lo, lo+b.Len()-1)
		}
		weight := float64(t.count(b))
		s.loss += g.LossValue() * weight
		s.weights += weight
		if s.unlabelled == 0 {
			hits, among, err := countHits(g, classes, t.loss.Counts)
			if err != nil {
				return err
			}
			s.right, s.counted = s.right+float64(hits), s.counted+float64(among)
		}
	}
	return nil
}

// evaluationBatches are a set's own batches, where it has such, or its rows in their order,
// each with the number of rows before it. The members of comm, if there is one, take turns.
func evaluationBatches(data Dataset, size int, comm Communicator) iter.Seq2[int, graph.Batch] {
	number := -1
	mine := func() bool {
		number++
		return comm == nil || number%comm.Size() == comm.Rank()
	}
	if own, ok := data.(batch.Partitioned); ok {
		return func(yield func(int, graph.Batch) bool) {
			lo := 0
			for _, rows := range own.Parts(size) {
				if mine() {
					b := own.NewPart(rows)
					own.Fill(b, rows, batch.Draw{})
					if !yield(lo, b) {
						return
					}
				}
				lo += len(rows)
			}
		}
	}
	return func(yield func(int, graph.Batch) bool) {
		rows := make([]int, min(size, data.Len()))
		var b graph.Batch
		for lo := 0; lo < data.Len(); lo += size {
			if !mine() {
				continue
			}
			n := min(size, data.Len()-lo)
			for i := range rows[:n] {
				rows[i] = lo + i
			}
			if b.Len() != n {
				b = data.NewBatch(n)
			}
			data.Fill(b, rows[:n], batch.Draw{First: lo})
			if !yield(lo, b) {
				return
			}
		}
	}
}

// evaluation runs the graph for batches of b's shapes.
func (t *Trainer) evaluation(b graph.Batch) (*graph.Evaluation, error) {
	if t.fixed != nil {
		var err error
		if b, err = t.fixed.complete(b); err != nil {
			return nil, err
		}
	}
	g, ok := t.evals.Find(b, nil)
	if !ok {
		var err error
		if g, err = graph.NewEvaluation(t.source, t.engine.Task.Model, b); err != nil {
			return nil, errors.WithMessagef(err, "batch of %v%s", b, t.engine.dtypeHint(b))
		}
		t.evals.Limit = t.engine.c.graphs
		if err := t.evals.Add(b, nil, g); err != nil {
			return nil, err
		}
	}
	if err := g.Feed(b); err != nil {
		return nil, err
	}
	return g, g.Run()
}

// classes are the class numbers of the rows; ok is false where the targets are none.
func (t *Trainer) classes(b graph.Batch) (labels []int, ok bool) {
	switch {
	case len(b.T) != 1:
		return nil, false
	case t.fixed != nil:
		return t.fixed.classes(b.T[0])
	case t.loss.Soft:
		return softLabels(b.T[0])
	case b.T[0].Dtype() != tensor.Int:
		return nil, false
	}
	return b.T[0].Ints(), true
}

// softLabels are the places of the largest numbers in the rows; -1 in rows of zeros.
func softLabels(t *tensor.Dense) (labels []int, ok bool) {
	if t.Dims() != 2 {
		return nil, false
	}
	places, err := apoops.Choose(t.Dtype(), largestOf[float32], largestOf[float64])
	if err != nil {
		return nil, false
	}
	return places(t), true
}

func largestOf[T apoops.Float](t *tensor.Dense) []int {
	places, cols, x := make([]int, t.Shape()[0]), t.Shape()[1], apoops.Elements[T](t)
	for i := range places {
		places[i] = argmax[T](t, i*cols, (i+1)*cols)
		if !(x[i*cols+places[i]] > 0) {
			places[i] = -1
		}
	}
	return places
}

// count is the number of terms that the loss of a batch is the mean of.
func (t *Trainer) count(b graph.Batch) int {
	if t.loss.Count == nil {
		return b.Len()
	}
	return t.loss.Count(b)
}

// countHits is how often the largest output is the label's, and among how many labels:
// counts says which count, nil all; one below 0 is none.
func countHits(g *graph.Evaluation, labels []int, counts func(label int) bool) (hits, among int, err error) {
	y, ok := g.Output()
	if !ok || y.Dims() != 2 || y.Shape()[0] != len(labels) {
		return 0, 0, errors.New("trainers: accuracy needs an output of one row for each label")
	}
	cols := y.Shape()[1]
	for i, label := range labels {
		if label < 0 || counts != nil && !counts(label) {
			continue
		}
		among++
		if label == largest(y, i*cols, (i+1)*cols) {
			hits++
		}
	}
	return hits, among, nil
}

// largest is the place of the largest of the elements [lo, hi).
func largest(y *tensor.Dense, lo, hi int) int {
	argmax, err := apoops.Choose(y.Dtype(), argmax[float32], argmax[float64])
	if err != nil {
		return -1
	}
	return argmax(y, lo, hi)
}

func argmax[T apoops.Float](y *tensor.Dense, lo, hi int) int {
	x := apoops.Elements[T](y)[lo:hi]
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// tally is what is counted of an evaluation.
type tally struct {
	loss, weights  float64 // the sum of weight·loss and that of the weights
	right, counted float64 // labels
	unlabelled     float64 // batches without
}

// join sums a tally up over all members. err is what went wrong on this one: the others
// learn of it.
func (s *tally) join(comm Communicator, err error) error {
	if comm == nil {
		return err
	}
	if err := collective.JoinErrors(comm, err); err != nil {
		return errors.WithMessage(err, "trainers")
	}
	all := []float64{s.loss, s.weights, s.right, s.counted, s.unlabelled}
	if err := collective.Sum(comm, all); err != nil {
		return errors.WithMessage(err, "trainers: evaluating")
	}
	s.loss, s.weights, s.right, s.counted, s.unlabelled = all[0], all[1], all[2], all[3], all[4]
	return nil
}
