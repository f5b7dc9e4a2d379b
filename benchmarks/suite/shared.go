package suite

import (
	"bytes"
	"encoding/json"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// copyShared copies a finished run of the same settings from an experiment with which
// the job's experiment shares runs; its numbers would be the same. It returns the name
// of that experiment, or "" if there is no such run.
func copyShared(dir string, j Job) (source string, err error) {
	e, err := experiments.Get(j.Experiment)
	if err != nil || j.Trial > 0 {
		return "", err
	}
	for _, name := range e.Shares {
		o := j
		o.Experiment = name
		r, err := Stored(dir, o)
		if err != nil {
			return "", err
		}
		if r == nil {
			continue
		}
		r.Header.Experiment = e.Name
		if r.Environment == nil {
			return name, storeRun(j.Path(dir), r)
		}
		text, err := r.stored() // a condensed run, which says where it was made
		if err != nil {
			return "", errors.WithMessage(err, name)
		}
		return name, replaceFile(j.storedPath(dir), text)
	}
	return "", nil
}

// storeRun writes a finished run's file.
func storeRun(path string, r *Run) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	lines := []any{r.Header}
	for _, e := range r.Evaluations {
		lines = append(lines, e)
	}
	for _, l := range append(lines, r.Done) {
		if err := enc.Encode(l); err != nil {
			return errors.Wrap(err, path)
		}
	}
	return replaceFile(path, text.Bytes())
}
