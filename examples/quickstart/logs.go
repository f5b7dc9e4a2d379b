package main

import (
	"path/filepath"
	"strings"

	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/record/mlflow"
)

// logs are those of one method.
type logs struct {
	jsonl   *trainers.JSONL
	further []runlog.Further
}

// openLogs makes METHOD.jsonl in -out, the event files of -log tensorboard in the folder
// METHOD, and the run METHOD in the store mlruns of -log mlflow.
func (k *task) openLogs(name string) (l *logs, err error) {
	name, l = strings.ToLower(name), &logs{}
	if l.jsonl, _, err = trainers.OpenJSONL(filepath.Join(k.out, name+".jsonl"), 0); err != nil {
		return nil, err
	}
	folder := filepath.Join(k.out, name)
	if err := runlog.ClearFurther(folder); err != nil {
		_ = l.close(false)
		return nil, err
	}
	for _, kind := range k.log {
		f, err := runlog.OpenFurther(kind, folder, mlflow.Config{Folder: filepath.Join(k.out, "mlruns"), Experiment: "quickstart", Run: name}, 0)
		if err != nil {
			_ = l.close(false)
			return nil, err
		}
		l.further = append(l.further, f)
	}
	return l, nil
}

// recorder is all of the logs.
func (l *logs) recorder() trainers.Recorder {
	all := []trainers.Recorder{l.jsonl}
	for _, f := range l.further {
		all = append(all, f)
	}
	return trainers.Multi(all...)
}

// close closes the logs of a training that is complete, or was stopped.
func (l *logs) close(complete bool) error {
	err := l.jsonl.Close()
	for _, f := range l.further {
		if run, ok := f.(*mlflow.Log); ok && complete {
			run.Finish()
		}
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}
	return err
}
