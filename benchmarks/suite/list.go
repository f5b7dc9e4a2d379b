package suite

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

const listUsage = `Usage: benchmarks list [NAME...] [flags]

Shows the experiments: their place in the paper, data, sizes, what the paper
reports, and about how long all methods with 3 seeds take here, from a few steps
of SGDm that are timed now on random data.
`

const (
	listedSeeds = 3
	timedSteps  = 4   // after one that builds the graphs
	largeBatch  = 2e9 // multiply-adds of a batch's forward pass
)

// ListCommand is the subcommand "list"; it returns the exit code.
func ListCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s selection
	f := flag.NewFlagSet("list", flag.ContinueOnError)
	quick := f.Bool("quick", false, "do not time anything")
	code, ok := parse(f, listUsage, args, stdout, stderr, func(names []string) error {
		s.names = names
		_, err := s.experiments()
		return err
	})
	if !ok {
		return code
	}
	es, err := s.experiments()
	for i := 0; i < len(es) && err == nil; i++ {
		if err = ctx.Err(); err == nil {
			err = list(es[i], *quick, stdout)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "list: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func list(e *experiments.Experiment, quick bool, w io.Writer) error {
	fmt.Fprintf(w, "%s  %s: %s\n", e.Name, e.Figure, e.Title)
	fmt.Fprintf(w, "  data     %s\n  paper    %s\n  chosen   %s\n", e.Data, e.Paper, e.Choices)
	if e.Compute == nil {
		fmt.Fprintf(w, "  methods  %s\n", strings.Join(e.Methods, ", "))
	}
	for _, scale := range experiments.Scales {
		c, ok := e.Scales[scale]
		if !ok {
			continue
		}
		fmt.Fprintf(w, "  %-7s  %s, %d steps of %d", scale, c.Task(), c.Steps, c.Batch)
		if e.TimedAt(scale) && c.Steps < warmedUp {
			fmt.Fprint(w, ", timed alone")
		}
		if !quick {
			step, err := timeStep(e, c)
			if err != nil {
				return errors.WithMessagef(err, "%s %s", e.Name, scale)
			}
			total, err := totalCost(e, scale)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, ", about %s", duration(time.Duration(float64(step)*total*float64(c.Steps))))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
	return nil
}

// totalCost is the time of a step of all runs in times of SGDm's.
func totalCost(e *experiments.Experiment, scale experiments.Scale) (float64, error) {
	total := 0.0
	for _, name := range e.MethodsAt(scale) {
		m, err := methods.Get(name)
		if err != nil {
			return 0, err
		}
		total += listedSeeds * m.Cost * float64(len(e.VariantsOf(name)))
	}
	return total, nil
}

// timeStep is the time of a step of SGDm. Nets on images are timed once, the
// large ones with few images.
func timeStep(e *experiments.Experiment, c experiments.Config) (time.Duration, error) {
	if c.Net == "" {
		return timeSteps(e, c)
	}
	if _, ok := timedNets[c.Net]; !ok {
		few := c
		few.Batch = int(min(max(largeBatch/c.Work(), 4), float64(c.Batch)))
		step, err := timeSteps(e, few)
		if err != nil {
			return 0, err
		}
		timedNets[c.Net] = step / time.Duration(few.Batch)
	}
	return timedNets[c.Net] * time.Duration(c.Batch), nil
}

// timedNets are the times of a step for each image.
var timedNets = make(map[string]time.Duration)

func timeSteps(e *experiments.Experiment, c experiments.Config) (time.Duration, error) {
	model, err := e.Model(c)
	if err != nil {
		return 0, err
	}
	tr, err := trainers.New(model, e.Loss, trainers.SGDm(1e-6), trainers.EveryK(0), trainers.Dtype(c.Type()))
	if err != nil {
		return 0, err
	}
	batch := randomBatch(e, c)
	began := time.Now()
	for i := range 1 + timedSteps {
		if i == 1 {
			began = time.Now()
		}
		if _, err := tr.Step(batch); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / timedSteps, nil
}

// randomBatch has the shapes of the experiment's batches: class numbers for a
// classifier, inputs as targets where the widths are an encoder's.
func randomBatch(e *experiments.Experiment, c experiments.Config) graph.Batch {
	rng := rand.New(rand.NewPCG(1, 1))
	if c.Net != "" {
		x := uniform(rng, c, 3*32*32)
		x.Reshape(c.Batch, 3, 32, 32)
		return graph.NewBatch(x, classNumbers(rng, c.Batch, c.Classes()))
	}
	x := uniform(rng, c, c.Widths[0])
	outputs := c.Widths[len(c.Widths)-1]
	switch e.Loss.Name {
	case graph.SoftmaxCrossEntropy.Name:
		return graph.NewBatch(x, classNumbers(rng, c.Batch, outputs))
	case graph.BernoulliCrossEntropy.Name:
		outputs = c.Widths[0]
	}
	return graph.NewBatch(x, uniform(rng, c, outputs))
}

func classNumbers(rng *rand.Rand, n, classes int) *tensor.Dense {
	t := make([]int, n)
	for i := range t {
		t[i] = rng.IntN(classes)
	}
	return tensor.New(tensor.WithShape(n), tensor.WithBacking(t))
}

func uniform(rng *rand.Rand, c experiments.Config, cols int) *tensor.Dense {
	n := c.Batch * cols
	if c.Type() == tensor.Float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.Float64()
		}
		return tensor.New(tensor.WithShape(c.Batch, cols), tensor.WithBacking(v))
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = rng.Float32()
	}
	return tensor.New(tensor.WithShape(c.Batch, cols), tensor.WithBacking(v))
}
