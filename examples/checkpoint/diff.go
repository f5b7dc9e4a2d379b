package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

var diff = command{
	name: "diff", names: "FILE FILE", help: "settings and arrays in which two files differ", least: 2, most: 2,
	about: `Diff prints the settings in which two files differ, with both values, and the arrays: those
that one file lacks, those of other shapes or dtypes, and how far the others are apart,
as the norm of the difference by that of the first and as the largest difference of two
elements. Of a checkpoint and a safetensors file it compares the weights. The exit code
is 0 where settings and bits are the same, 3 where they are not.`,
	flags: func(*flag.FlagSet) work { return diffTwo },
}

func diffTwo(_ context.Context, names []string, stdout, _ io.Writer) error {
	a, err := read(names[0])
	if err != nil {
		return err
	}
	b, err := read(names[1])
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	x, y := a.weights(), b.weights()
	different := 0
	if a.document != nil && b.document != nil {
		different = diffSettings(w, a.settings(), b.settings())
		x, y = a.snapshot.Tensors, b.snapshot.Tensors
	}
	different += diffTensors(w, x, y)
	if err := w.Flush(); err != nil {
		return err
	}
	if different > 0 {
		return cli.WithCode(differ, errors.Errorf("%s and %s differ in %d settings and arrays", a.path, b.path, different))
	}
	fmt.Fprintf(stdout, "%s and %s: no difference\n", a.path, b.path)
	return nil
}

// diffSettings prints a line for each difference and counts them.
func diffSettings(w io.Writer, a, b []setting) (different int) {
	line := func(name, x, y string) {
		if different == 0 {
			fmt.Fprint(w, "settings\tfirst\tsecond\n")
		}
		different++
		fmt.Fprintf(w, "  %s\t%s\t%s\n", name, x, y)
	}
	other := make(map[string]string, len(b))
	for _, s := range b {
		other[s.name] = s.value
	}
	for _, s := range a {
		v, ok := other[s.name]
		delete(other, s.name)
		if !ok {
			line(s.name, s.value, "-")
		} else if v != s.value {
			line(s.name, s.value, v)
		}
	}
	for _, s := range b {
		if _, ok := other[s.name]; ok {
			line(s.name, "-", s.value)
		}
	}
	return different
}

// diffTensors is diffSettings of arrays.
func diffTensors(w io.Writer, a, b []checkpoint.NamedTensor) (different int) {
	line := func(name, what string) {
		if different == 0 {
			fmt.Fprint(w, "arrays\trelative\tlargest\n")
		}
		different++
		fmt.Fprintf(w, "  %s\t%s\n", name, what)
	}
	other := make(map[string]checkpoint.NamedTensor, len(b))
	for _, t := range b {
		other[t.Name] = t
	}
	for _, t := range a {
		u, ok := other[t.Name]
		delete(other, t.Name)
		if !ok {
			line(t.Name, "only in the first\t")
		} else if what := distance(t, u); what != "" {
			line(t.Name, what)
		}
	}
	for _, t := range b {
		if _, ok := other[t.Name]; ok {
			line(t.Name, "only in the second\t")
		}
	}
	return different
}

// distance says how far two arrays are apart, or "" for the same bits.
func distance(a, b checkpoint.NamedTensor) string {
	if a.Dtype() != b.Dtype() || !slices.Equal(a.Value.Shape(), b.Value.Shape()) {
		return fmt.Sprintf("%v %v, %v %v\t", a.Dtype(), a.Value.Shape(), b.Dtype(), b.Value.Shape())
	}
	x, err := a.Floats()
	y, err2 := b.Floats()
	if err != nil || err2 != nil { // integers
		if a.Value.Eq(b.Value) {
			return ""
		}
		return "other numbers\t"
	}
	same, largest, d := true, 0.0, make([]float64, len(x))
	for i, v := range x {
		same = same && math.Float64bits(v) == math.Float64bits(y[i])
		d[i] = y[i] - v
		largest = max(largest, math.Abs(d[i]))
	}
	if same {
		return ""
	}
	return fmt.Sprintf("%.3g\t%.3g", norm(d)/norm(x), largest)
}
