package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// rows is how many lines of the history are shown.
const rows = 10

var show = command{
	name: "show", names: "FILE|FOLDER", help: "settings, weights and history of a run", least: 1, most: 1,
	about: `Show prints the settings of a run, what the file holds, each parameter with its norm and
range, and the history: the loss and the rates from steps.jsonl, and the tests after
epochs from epochs.csv, where they lie beside the file.`,
	flags: func(*flag.FlagSet) work { return showOne },
}

func showOne(_ context.Context, names []string, stdout, _ io.Writer) error {
	f, err := read(names[0])
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s of %s\n", f.path, f.kind(), cli.Size(float64(f.size)))
	f.showSettings(w)
	f.showGroups(w)
	if err := f.showWeights(w); err != nil {
		return err
	}
	if err := f.showHistory(w); err != nil {
		return err
	}
	return w.Flush()
}

// showSettings leaves out what the lists of weights have.
func (f *file) showSettings(w io.Writer) {
	if f.document == nil {
		return
	}
	fmt.Fprint(w, "\nsettings\n")
	for _, s := range f.settings() {
		if !strings.HasPrefix(s.name, "parameters[") {
			fmt.Fprintf(w, "  %s\t%s\n", s.name, s.value)
		}
	}
}

// groups are what the groups of a checkpoint's tensors are.
var groups = []struct{ name, what string }{
	{"theta", "weights and statistics"}, {"state", "state of the optimizer"}, {"phi", "what APO learns"}, {"meta", "state of the learner"},
	{"average", "averaged weights"}, {"kept", "mini-batches for B'"},
}

func (f *file) showGroups(w io.Writer) {
	if f.document == nil {
		return
	}
	fmt.Fprint(w, "\ntensors\tarrays\telements\n")
	for _, g := range groups {
		var own []checkpoint.NamedTensor
		for _, t := range f.snapshot.Tensors {
			if group(t.Name) == g.name {
				own = append(own, t)
			}
		}
		if len(own) > 0 {
			fmt.Fprintf(w, "  %s, %s\t%d\t%d\n", g.name, g.what, len(own), elements(own))
		}
	}
}

func (f *file) showWeights(w io.Writer) error {
	fmt.Fprint(w, "\nweights\tshape\tdtype\tnorm\tleast\tlargest\n")
	for _, t := range f.weights() {
		fmt.Fprintf(w, "  %s\t%v\t%v\t", t.Name, t.Value.Shape(), t.Dtype())
		x, err := t.Floats()
		if err != nil { // counters in files of other programs
			fmt.Fprint(w, "-\t-\t-\n")
			continue
		}
		least, largest := math.Inf(1), math.Inf(-1)
		for _, v := range x {
			least, largest = min(least, v), max(largest, v)
		}
		fmt.Fprintf(w, "%.4g\t%.4g\t%.4g\n", norm(x), least, largest)
	}
	return nil
}

func norm(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

// showHistory shows what the logs beside the file have.
func (f *file) showHistory(w io.Writer) error {
	folder := filepath.Dir(f.path)
	log, err := runlog.ReadSteps(folder)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(w, "\nhistory: none, for there is no %s beside the file\n", runlog.StepsJSONL)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nhistory of %d steps\tmean loss\trates\n", len(log))
	for i := range min(rows, len(log)) {
		part := log[len(log)*i/min(rows, len(log)) : len(log)*(i+1)/min(rows, len(log))]
		last := part[len(part)-1]
		sum := 0.0
		for _, s := range part {
			sum += s.Loss
		}
		fmt.Fprintf(w, "  to step %d\t%.5g\t%s\n", last.Step+1, sum/float64(len(part)), shown(last.Rates))
	}
	epochs, err := runlog.ReadEpochs(folder, 4)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(epochs) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprint(w, "\nepoch\tstep\ttest loss\ttest accuracy\n")
	for _, e := range epochs {
		fmt.Fprintf(w, "  %.0f\t%.0f\t%.5g\t%.2f%%\n", e[0], e[1], e[2], 100*e[3])
	}
	return nil
}

// shown are rates, of many the first.
func shown(rates []float64) string {
	const most = 4
	text := ""
	for _, r := range rates[:min(most, len(rates))] {
		text += fmt.Sprintf("%.4g ", r)
	}
	if len(rates) > most {
		text += fmt.Sprintf("and %d more", len(rates)-most)
	}
	return orDash(strings.TrimSuffix(text, " "))
}
