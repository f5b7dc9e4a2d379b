package app

import (
	"fmt"
	"time"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// The files of a run's results beside its charts.
const (
	weightsFile = "weights.safetensors"
	bestFile    = "best.safetensors"
	resultFile  = "result.json"
)

// results are the files of a run that has ended.
func (a *App) results() []string {
	all := []string{weightsFile, "loss.png", "rate.png", "precond.png"}
	if a.KeepsBest {
		all = append(all, bestFile, resultFile, "accuracy.png")
	}
	return all
}

// evaluate tests the net after an epoch that began at start.
func (t *training) evaluate(epoch int, start time.Time) error {
	result, err := t.trainer.Evaluate(t.test, t.app.EvaluationBatch)
	if err != nil {
		return err
	}
	t.history = append(t.history, evaluated{step: t.trainer.Steps(), loss: result.Loss, accuracy: result.Accuracy})
	values, label := []float64{result.Loss, result.Accuracy}, ""
	if t.app.KeepsBest {
		best := bestEpoch(t.history)
		values = append(values, float64(best))
		if best == epoch {
			label = ", the best so far"
			if err := t.trainer.SaveWeights(t.path(bestFile)); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(t.stdout, "epoch %d of %d: test loss %.4f, accuracy %.2f%%, %s%.1f s%s\n",
		epoch, t.s.Epochs, result.Loss, 100*result.Accuracy, cli.Rates(t.trainer.Rates()), time.Since(start).Seconds(), label)
	return t.first(func() error {
		if err := t.logs.Epoch(epoch, t.trainer.Steps(), values...); err != nil {
			return err
		}
		return t.logs.Flush()
	})
}

// Result is what result.json has.
type Result struct {
	Epochs        int     `json:"epochs"`
	FinalLoss     float64 `json:"final_test_loss"`
	FinalAccuracy float64 `json:"final_test_accuracy"`
	BestEpoch     int     `json:"best_epoch"`
	BestAccuracy  float64 `json:"best_test_accuracy"`
}

// finish writes the results of a whole run.
func (t *training) finish() error {
	if err := t.trainer.SaveWeights(t.path(weightsFile)); err != nil {
		return err
	}
	return t.first(t.report)
}

// report draws and says what is done.
func (t *training) report() error {
	charts, err := t.drawCharts()
	if err != nil {
		return err
	}
	if err := t.logs.Pictures(t.trainer.Steps(), charts...); err != nil {
		return err
	}
	if t.app.KeepsBest {
		last, at := t.history[len(t.history)-1], bestEpoch(t.history)
		r := Result{
			Epochs: t.s.Epochs, FinalLoss: last.loss, FinalAccuracy: last.accuracy, BestEpoch: at, BestAccuracy: t.history[at-1].accuracy,
		}
		if err := runlog.WriteJSON(t.s.out, resultFile, r); err != nil {
			return err
		}
		fmt.Fprintf(t.stdout, "best test accuracy %.2f%%, after epoch %d\n", 100*r.BestAccuracy, r.BestEpoch)
	}
	fmt.Fprintf(t.stdout, "results in %s\n", t.s.out)
	return nil
}
