// Others measures training steps of other Go libraries for benchmarks peers -others, which
// builds and starts it: forward pass, softmax cross-entropy, backward pass and SGD with
// momentum 0.9, in float32, on the weights and the batch of a safetensors file. It prints
// one line of JSON, as the other sides do. It is a module of its own, so that users of this
// library do not get what these need.
//
//	go build -o others . && ./others -side gomlx TASK
//	GOEXPERIMENT=simd go build -o others-simd . && ./others-simd -side gomlx TASK
package main

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/resident"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		os.Stderr.WriteString("others: " + err.Error() + "\n")
		os.Exit(1)
	}
}

// stepper takes a training step and returns the loss before it.
type stepper func() (loss float64, err error)

// side makes the steps of a library for a task. version is that of the library, products
// says what multiplies its matrices.
type side func(t *task) (step stepper, version, products string, err error)

// sides are the libraries, each with its settings.
var sides = map[string]side{
	"gomlx":            func(t *task) (stepper, string, string, error) { return newGoMLX(t, "") },
	"gomlx-sequential": func(t *task) (stepper, string, string, error) { return newGoMLX(t, "ops_sequential") },
	"gorgonia":         func(t *task) (stepper, string, string, error) { return newGorgonia(t, false) },
	"gorgonia-blas":    func(t *task) (stepper, string, string, error) { return newGorgonia(t, true) },
}

// measurement is what is printed, as benchmarks peers reads it.
type measurement struct {
	Median     float64   `json:"median_ms"`
	Min        float64   `json:"min_ms"`
	Peak       int64     `json:"peak_bytes"`
	Base       int64     `json:"base_bytes"`
	Parameters int       `json:"parameters"`
	Losses     []float64 `json:"losses"`
	Version    string    `json:"version"`
	BLAS       string    `json:"blas"`
	Threads    int       `json:"threads"`
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("others", flag.ContinueOnError)
	name := flags.String("side", "", "library to measure: "+strings.Join(names(), ", "))
	steps := flags.Int("steps", 50, "timed steps")
	warmup := flags.Int("warmup", 20, "steps before them")
	losses := flags.Int("losses", 20, "first steps whose losses are printed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := sides[*name]
	switch {
	case s == nil:
		return errors.Errorf("-side %q is none of %s", *name, strings.Join(names(), ", "))
	case *steps < 1 || *warmup < 0 || *losses < 0:
		return errors.New("-steps must be positive, -warmup and -losses not negative")
	case flags.NArg() != 1:
		return errors.New("one argument is needed, the file of weights and batch")
	}
	m, err := measure(s, flags.Arg(0), *steps, *warmup, *losses)
	if err != nil {
		return errors.WithMessage(err, *name)
	}
	return errors.Wrap(json.NewEncoder(stdout).Encode(m), "writing the measurement")
}

// measure measures a side on the task of a file.
func measure(s side, path string, steps, warmup, losses int) (m measurement, err error) {
	m.Base, m.Threads = resident.Now(), runtime.GOMAXPROCS(0)
	t, err := readTask(path)
	if err != nil {
		return m, err
	}
	m.Parameters = t.parameters()
	step, version, products, err := s(t)
	if err != nil {
		return m, err
	}
	m.Version, m.BLAS = version, products
	var times []float64
	for i := range warmup + steps {
		began := time.Now()
		loss, err := step()
		if err != nil {
			return m, errors.WithMessagef(err, "step %d", i)
		}
		if took := time.Since(began); i >= warmup {
			times = append(times, float64(took.Nanoseconds())/1e6)
		}
		if i < losses {
			m.Losses = append(m.Losses, loss)
		}
	}
	slices.Sort(times)
	m.Median, m.Min = (times[len(times)/2]+times[(len(times)-1)/2])/2, times[0]
	m.Peak = max(resident.Peak(), m.Base)
	return m, nil
}

// names are those of all sides.
func names() []string {
	var all []string
	for name := range sides {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
