package runlog

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/record/mlflow"
	"github.com/apo-gorgonia/apo/trainers/record/tensorboard"
)

// Kinds are the logs that a run can have beside its tables.
var Kinds = []string{"tensorboard", "mlflow"}

// KindsHelp describes the flag -log.
const KindsHelp = "further logs in -out, `kinds` separated by commas: tensorboard (event files), mlflow (a store, mlruns); with -resume those of the run"

// ParseKinds is for flag.FlagSet.Func: kinds separated by commas, or none.
func ParseKinds(dst *[]string) func(string) error {
	return func(text string) error {
		*dst = nil
		for kind := range strings.SplitSeq(text, ",") {
			if kind = strings.TrimSpace(kind); kind != "" && !slices.Contains(*dst, kind) {
				*dst = append(*dst, kind)
			}
		}
		return CheckKinds(*dst)
	}
}

// CheckKinds reports a kind that is none.
func CheckKinds(kinds []string) error {
	for _, kind := range kinds {
		if !slices.Contains(Kinds, kind) {
			return errors.Errorf("%q is none of %s", kind, strings.Join(Kinds, ", "))
		}
	}
	return nil
}

// further is a log of one of the Kinds.
type further interface {
	trainers.Recorder
	Scalar(name string, step int, v float64) error
	Image(name string, step int, content []byte) error
	Flush() error
	Close() error
}

// openFurther opens the logs of Further.
func (l *Log) openFurther(dir string, steps int) error {
	all := []trainers.Recorder{l.jsonl, l.csv}
	for _, kind := range l.Further {
		f, err := l.openKind(kind, dir, steps)
		if err != nil {
			return err
		}
		l.further, all = append(l.further, f), append(all, f)
	}
	l.steps = trainers.Multi(all...)
	return nil
}

func (l *Log) openKind(kind, dir string, steps int) (further, error) {
	if kind == "tensorboard" {
		return tensorboard.Open(dir, steps)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	l.mlflow, err = mlflow.Open(mlflow.Config{Folder: filepath.Join(dir, "mlruns"), Experiment: l.Experiment, Run: filepath.Base(dir), Params: l.Params}, steps)
	return l.mlflow, err
}

// Finish says that the run is complete, before Close.
func (l *Log) Finish() {
	if l.mlflow != nil {
		l.mlflow.Finish()
	}
}

// Pictures shows PNG files in the logs that can have pictures, as those of a run of so
// many steps.
func (l *Log) Pictures(steps int, paths ...string) error {
	if len(l.further) == 0 {
		return nil
	}
	slices.Sort(paths)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := "curves/" + strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		for _, f := range l.further {
			if err := f.Image(name, steps-1, content); err != nil {
				return err
			}
		}
	}
	return nil
}

// clearFurther removes the logs of an earlier run.
func clearFurther(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tensorboard.FilePrefix) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
