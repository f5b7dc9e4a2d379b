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
const KindsHelp = "further logs in -out, `kinds` separated by commas: tensorboard (event files), mlflow (a store, mlruns)"

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

// Further is a log of one of the Kinds.
type Further interface {
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

func (l *Log) openKind(kind, dir string, steps int) (Further, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return OpenFurther(kind, dir, mlflow.Config{Folder: filepath.Join(dir, "mlruns"), Experiment: l.Experiment, Run: filepath.Base(dir), Params: l.Params}, steps)
}

// OpenFurther opens a log of one of the Kinds, of a run that has taken so many steps: event
// files in the folder dir, or MLflow's run c.
func OpenFurther(kind, dir string, c mlflow.Config, steps int) (Further, error) {
	if kind == "tensorboard" {
		return tensorboard.Open(dir, steps)
	}
	return mlflow.Open(c, steps)
}

// Finish says that the run is complete, before Close.
func (l *Log) Finish() {
	for _, f := range l.further {
		if run, ok := f.(*mlflow.Log); ok {
			run.Finish()
		}
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

// ClearFurther removes the event files of an earlier run from its folder.
func ClearFurther(dir string) error {
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
