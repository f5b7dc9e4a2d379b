package suite

import (
	"time"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/trainers"
)

const (
	timedSteps = 4   // after one that builds the graphs
	largeBatch = 2e9 // multiply-adds of a batch's forward pass
)

// stepTimes are the measured times of a step of SGDm for each example of the batch.
// Settings with as much work count as the same: each is timed once.
type stepTimes map[timedWork]time.Duration

type timedWork struct {
	multiplyAdds float64
	batch        int
	dtype        string
}

// step is the time of a step of SGDm. Large batches are timed with fewer examples.
func (t stepTimes) step(e *experiments.Experiment, c experiments.Config) (time.Duration, error) {
	work := timedWork{e.Task.Work(c).MultiplyAdds, c.Batch, c.Dtype}
	if _, ok := t[work]; !ok {
		few := c
		few.Batch = int(min(max(largeBatch/work.multiplyAdds, 4), float64(c.Batch)))
		step, err := timeSteps(e, few)
		if err != nil {
			return 0, err
		}
		t[work] = step / time.Duration(few.Batch)
	}
	return t[work] * time.Duration(c.Batch), nil
}

func timeSteps(e *experiments.Experiment, c experiments.Config) (time.Duration, error) {
	model, err := e.Task.Model(c)
	if err != nil {
		return 0, err
	}
	tr, err := trainers.New(model, e.Task.Loss(), trainers.SGDm(1e-6), trainers.EveryK(0), trainers.Dtype(c.Type()))
	if err != nil {
		return 0, err
	}
	batch := e.Task.RandomBatch(c)
	began := time.Now()
	for i := range 1 + timedSteps {
		if i == 1 {
			began = time.Now()
		}
		if _, err := tr.Step(batch); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / timedSteps, nil
}
