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
		st, err := stateOf(dir, o)
		if err != nil {
			return "", err
		}
		if st != finished {
			continue
		}
		r, err := ReadRun(o.Path(dir))
		if err != nil {
			return "", errors.Wrap(err, "results")
		}
		r.Header.Experiment = e.Name
		return name, storeRun(j.Path(dir), r)
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
