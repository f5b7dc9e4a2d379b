package guides

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/record/live"
	"github.com/apo-gorgonia/apo/trainers/record/mlflow"
	"github.com/apo-gorgonia/apo/trainers/record/tensorboard"
)

// TestLogs trains with the logs of the page, which leave their files.
func TestLogs(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := logged(net(), graph.SoftmaxCrossEntropy, trainers.Adam(1e-3), digits(t), "first", 12); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"runs/first/events.out.tfevents.*", "mlruns/*/*/metrics/loss"} {
		paths, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(paths) != 1 {
			t.Fatalf("%s: %q, %v", pattern, paths, err)
		}
		if info, err := os.Stat(paths[0]); err != nil || info.Size() == 0 {
			t.Errorf("%s is empty, %v", paths[0], err)
		}
	}
}

func logged(model *layers.Model, loss graph.Loss, optimizer trainers.Optimizer, batches *trainers.Batches, name string, steps int) error {
	tr, err := trainers.New(model, loss, optimizer)
	if err != nil {
		return err
	}
	view := live.New(os.Stderr, live.Config{Title: name, Steps: steps, Examples: 32})
	defer view.Close()
	events, err := tensorboard.Open(filepath.Join("runs", name), tr.Steps())
	if err != nil {
		return err
	}
	defer events.Close()
	run, err := mlflow.Open(mlflow.Config{Folder: "mlruns", Experiment: "digits", Run: name}, tr.Steps())
	if err != nil {
		return err
	}
	defer run.Close()
	if err := tr.SetRecorder(trainers.Multi(view, events, trainers.Every(10, run))); err != nil {
		return err
	}
	for tr.Steps() < steps {
		if _, err := tr.Step(batches.At(tr.Steps())); err != nil {
			return err
		}
	}
	run.Finish()
	return nil
}
