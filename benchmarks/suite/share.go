package suite

import (
	"bytes"
	"encoding/json"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// share takes a finished run of the same settings over from an experiment that e
// shares runs with: its numbers would be the same.
func share(dir string, e *experiments.Experiment, j *planned) error {
	for _, name := range e.Shares {
		twin := j.Job
		twin.Experiment = name
		st, err := stateOf(dir, twin)
		if err != nil {
			return err
		}
		if st != finished {
			continue
		}
		r, err := ReadRun(twin.path(dir))
		if err != nil {
			return errors.Wrap(err, "results")
		}
		r.Header.Experiment = e.Name
		if err := storeRun(j.path(dir), r); err != nil {
			return err
		}
		j.state = finished
		return nil
	}
	return nil
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
