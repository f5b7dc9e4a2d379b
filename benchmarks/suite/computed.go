package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// ComputedPath is the path of an experiment's computed result.
func ComputedPath(dir, experiment string, scale experiments.Scale) string {
	return filepath.Join(dir, experiment, string(scale), "result.json")
}

// compute stores the result of an experiment's computation, if it has one. A stored
// result that can be decoded is kept.
func compute(ctx context.Context, e *experiments.Experiment, scale experiments.Scale, dir string, stdout io.Writer) error {
	if e.Computation == nil {
		return nil
	}
	path := ComputedPath(dir, e.Name, scale)
	if text, err := os.ReadFile(path); err == nil {
		if _, err := e.Computation.Decode(text); err == nil {
			fmt.Fprintf(stdout, "%s %s: stored already\n", e.Name, scale)
			return nil
		}
	}
	result, err := e.Computation.Compute(ctx, scale)
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

// compactComputed is a computed result as Store keeps it: the same values, with a line for
// each member.
func compactComputed(text []byte) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, errors.WithStack(err)
	}
	var members []member
	for _, name := range slices.Sorted(maps.Keys(all)) {
		members = append(members, member{name, all[name]})
	}
	var b bytes.Buffer
	err := layOut(&b, "", members)
	b.WriteByte('\n')
	return b.Bytes(), err
}
