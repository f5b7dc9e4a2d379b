package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

var verify = command{
	name: "verify", names: "FILE|FOLDER...", help: "whether files are whole and their numbers finite", least: 1,
	about: `Verify reads all of each file. A checkpoint must have its checksum, settings, and the
parameters that these name; every array must be finite. What is wrong is printed with the
file and the array, and the exit code is 1. The safetensors format has no checksum:
there a changed weight is not seen.`,
	flags: func(*flag.FlagSet) work { return verifyAll },
}

func verifyAll(ctx context.Context, names []string, stdout, stderr io.Writer) error {
	bad := 0
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, wrong := check(name)
		for _, w := range wrong {
			fmt.Fprintln(stderr, w)
		}
		if len(wrong) > 0 {
			bad++
			continue
		}
		fmt.Fprintf(stdout, "%s: whole, %s of %d arrays, %d numbers in the weights\n", f.path, f.kind(), len(f.snapshot.Tensors), elements(f.weights()))
	}
	if bad > 0 {
		return errors.Errorf("%d of %d files are not as they should be", bad, len(names))
	}
	return nil
}

// check reads a file and has a line for all that is wrong.
func check(name string) (f *file, wrong []string) {
	f, err := read(name)
	if err != nil {
		return nil, []string{err.Error()}
	}
	for _, what := range append(f.checkParameters(), f.checkFinite()...) {
		wrong = append(wrong, f.path+": "+what)
	}
	return f, wrong
}

// checkParameters compares the weights with the settings that name them.
func (f *file) checkParameters() (wrong []string) {
	if f.document == nil {
		return nil
	}
	if f.text("optimizer") == "" || f.text("steps") == "" {
		wrong = append(wrong, "the settings have no optimizer or no number of steps: no Trainer wrote them")
	}
	named, ok := f.run()["parameters"].([]any)
	if !ok { // older than this setting
		return wrong
	}
	var there []string
	for _, t := range f.weights() {
		there = append(there, fmt.Sprintf("%s %v %v", t.Name, t.Dtype(), t.Value.Shape()))
	}
	for _, p := range named {
		text := strings.TrimSuffix(fmt.Sprint(p), " statistic")
		at := slices.Index(there, text)
		if at < 0 {
			wrong = append(wrong, fmt.Sprintf("no array for the parameter %s", text))
			continue
		}
		there = slices.Delete(there, at, at+1)
	}
	for _, text := range there {
		wrong = append(wrong, fmt.Sprintf("the weights have %s, which the settings do not name", text))
	}
	return wrong
}

// checkFinite names the arrays that have NaN or infinities.
func (f *file) checkFinite() (wrong []string) {
	for _, t := range f.snapshot.Tensors {
		if at, v, ok := notFinite(t); ok {
			wrong = append(wrong, fmt.Sprintf("tensor %q: element %d is %v", t.Name, at, v))
		}
	}
	return wrong
}

// notFinite is the first element of an array of floats that is NaN or infinite.
func notFinite(t checkpoint.NamedTensor) (at int, v float64, found bool) {
	x, err := t.Floats()
	if err != nil {
		return 0, 0, false // integers
	}
	at = slices.IndexFunc(x, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if at < 0 {
		return 0, 0, false
	}
	return at, x[at], true
}
