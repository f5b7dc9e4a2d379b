package suite

import (
	"context"
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers"
)

// evaluate evaluates the current weights and writes a line. The last evaluation of a run
// that is no trial has the task's score.
func (t *training) evaluate(ctx context.Context) (float64, error) {
	step := t.tr.Steps()
	e := Evaluation{Step: step, Epoch: float64(step) / float64(t.batches.PerEpoch()), Seconds: t.seconds}
	rows := t.task.Work(t.order.Config).EvaluationBatch
	train, err := t.tr.Evaluate(t.problem.Evaluate, rows)
	if err != nil {
		return 0, err
	}
	e.TrainLoss, e.TrainAccuracy = Number(train.Loss), known(train.Accuracy)
	if t.problem.Test != nil {
		test, err := t.test(rows)
		if err != nil {
			return 0, err
		}
		e.TestLoss, e.Accuracy = ref(test.Loss), known(test.Accuracy)
	}
	if t.problem.Score != nil && step == t.order.Config.Steps {
		score, err := t.problem.Score(ctx, t.tr)
		if err != nil {
			return 0, err
		}
		e.Score = ref(score)
	}
	e.BatchLoss = known(t.lastLoss)
	for _, r := range t.tr.Rates() {
		e.Rates = append(e.Rates, Number(r))
	}
	t.evaluated = step
	return train.Loss, t.log.write(e)
}

// test evaluates the test set.
func (t *training) test(rows int) (trainers.Evaluation, error) {
	if t.problem.TestLoss == nil {
		return t.tr.Evaluate(t.problem.Test, rows)
	}
	if t.tester == nil {
		model, err := t.task.Model(t.order.Config)
		if err != nil {
			return trainers.Evaluation{}, err
		}
		low, err := precisionOptions(t.order.Config)
		if err != nil {
			return trainers.Evaluation{}, err
		}
		opts := append(low, trainers.EveryK(0), trainers.Dtype(t.order.Config.Type()))
		t.tester, err = trainers.New(model, *t.problem.TestLoss, trainers.SGD(1), opts...)
		if err != nil {
			return trainers.Evaluation{}, err
		}
	}
	if err := t.tr.Evaluated(func() error {
		for i, p := range t.tr.Params() {
			if err := tensor.Copy(t.tester.Params()[i].Value, p.Value); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return trainers.Evaluation{}, err
	}
	return t.tester.Evaluate(t.problem.Test, rows)
}

func ref(x float64) *Number { return (*Number)(&x) }

// known returns nil for NaN.
func known(x float64) *Number {
	if math.IsNaN(x) {
		return nil
	}
	return ref(x)
}
