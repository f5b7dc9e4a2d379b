package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// ComputedPath is the file of an experiment that trains nothing.
func ComputedPath(dir, experiment string, scale experiments.Scale) string {
	return filepath.Join(dir, experiment, string(scale), "result.json")
}

// computed makes the result of an experiment that trains nothing, if it is not
// there or damaged.
func computed(ctx context.Context, e *experiments.Experiment, scale experiments.Scale, dir string, stdout io.Writer) error {
	path := ComputedPath(dir, e.Name, scale)
	if text, err := os.ReadFile(path); err == nil && json.Valid(text) {
		fmt.Fprintf(stdout, "%s %s: there already\n", e.Name, scale)
		return nil
	}
	result, err := e.Compute(ctx, scale)
	if err != nil {
		return errors.WithMessage(err, e.Name)
	}
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return errors.Wrap(err, e.Name)
	}
	if err := replaceFile(path, append(text, '\n')); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s %s: computed\n", e.Name, scale)
	return nil
}
