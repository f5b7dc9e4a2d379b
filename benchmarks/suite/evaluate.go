package suite

import "math"

// evaluate evaluates the current weights and writes a line.
func (t *training) evaluate() (float64, error) {
	step := t.tr.Steps()
	e := Evaluation{Step: step, Epoch: float64(step) / float64(t.batches.PerEpoch()), Seconds: t.seconds}
	rows := t.task.Work(t.order.Config).EvaluationBatch
	train, err := t.tr.Evaluate(t.problem.Evaluate, rows)
	if err != nil {
		return 0, err
	}
	e.TrainLoss, e.TrainAccuracy = Number(train.Loss), known(train.Accuracy)
	if t.problem.Test != nil {
		test, err := t.tr.Evaluate(t.problem.Test, rows)
		if err != nil {
			return 0, err
		}
		e.TestLoss, e.Accuracy = ref(test.Loss), known(test.Accuracy)
	}
	e.BatchLoss = known(t.lastLoss)
	for _, r := range t.tr.Rates() {
		e.Rates = append(e.Rates, Number(r))
	}
	t.evaluated = step
	return train.Loss, t.log.write(e)
}

func ref(x float64) *Number { return (*Number)(&x) }

// known returns nil for NaN.
func known(x float64) *Number {
	if math.IsNaN(x) {
		return nil
	}
	return ref(x)
}
