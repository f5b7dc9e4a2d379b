package scaling

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/peers"
	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// Name is the subcommand's name. Run starts its own program with it again.
const Name = "scaling"

const usage = `Usage: benchmarks scaling [FLAG...]

Measures what training by several processes costs on this machine, and predicts from it
the time of a step by 1 to 1024 processes on this and other networks.

In each round it measures in turn, each in processes of their own:
- sums of 1 KiB to 100 MB (-largest) between two processes under mpirun, from which latency
  and bandwidth are found;
- steps of each net by each rule on one core with two small batches, from which the time
  of an example and what does not depend on the batch are found;
- steps of the MLP, LeNet and ResNet-18 (SGD with momentum, batches of 128 and 512) by one
  process on all cores, by one on one core, and by two processes of one core each.
Once it counts the bytes that two members of a training exchange.

The folder of -out gets
  scaling.md         tables: what was measured, the constants of the model, its predictions
                     against the steps of one and two processes, and speedups by 1 to 1024
  scaling.csv        all predictions by their parts
  scaling-NET.svg    the speedups of a net, and the same as .png
  measurements.json  what was measured and the constants

Go's documentation of package benchmarks/scaling has the model. Each process has one core.
Without mpirun the parts that need it are left out. All takes about an hour on two cores,
-only lenet -rules sgdm a minute. If it is interrupted after the first round, the folder gets
the results of what is measured until then; before that it stays as it is.

-from FILE predicts from the measurements.json of another run within a second, for instance
for other networks: -from results-scaling/measurements.json -bandwidth 25 -latency 5.
`

// Run is the subcommand. It returns the exit code: 0 for success, 1 if something could not
// be measured, 2 for wrong usage, 130 if ctx ends.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	code, ok := subcommand.ParseFlags(o.flags(), usage, args, stdout, stderr, subcommand.NoNames(o.check))
	if !ok {
		return code
	}
	var err error
	if o.member != "" {
		err = member(o.member, stdout)
	} else {
		err = o.run(ctx, stdout)
	}
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintf(stderr, "%s: interrupted; the folder is as it was\n", Name)
		return 130
	case ctx.Err() != nil:
		fmt.Fprintf(stderr, "%s: interrupted; the folder has what was measured before\n", Name)
		return 130
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", Name, err)
		return 1
	}
	return 0
}

// run measures, or reads what was measured, predicts and writes the results.
func (o *options) run(ctx context.Context, stdout io.Writer) error {
	find := o.measureHere
	if o.from != "" {
		find = o.read
	}
	r, err := find(ctx, stdout)
	if err != nil {
		return err
	}
	if err := r.complete(o); err != nil {
		return err
	}
	if err := r.write(o); err != nil {
		return err
	}
	fmt.Fprintln(stdout)
	if err := r.summary(stdout); err != nil {
		return err
	}
	if _, err = fmt.Fprintf(stdout, "\nscaling.md, scaling.csv, pictures and measurements.json are in %s\n", o.out); err != nil {
		return errors.Wrap(err, "writing the report")
	}
	if len(r.Failed) > 0 {
		return errors.Errorf("not measured: %s", strings.Join(r.Failed, "; "))
	}
	return nil
}

// read reads the measurements of -from.
func (o *options) read(context.Context, io.Writer) (*results, error) {
	text, err := os.ReadFile(o.from)
	if err != nil {
		return nil, errors.Wrap(err, "-from")
	}
	var all results
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, errors.Wrapf(err, "-from %s", o.from)
	}
	if len(all.Trials) == 0 {
		return nil, errors.Errorf("-from %s: no measurement", o.from)
	}
	// What follows from them is found anew.
	all.Shared, all.Works, all.Comparisons = nil, nil, nil
	return &all, nil
}

// measureHere measures on this machine.
func (o *options) measureHere(ctx context.Context, stdout io.Writer) (*results, error) {
	l := findLauncher(ctx, o.mpirun)
	if l.mpirun == nil {
		if o.mpirun != "" {
			return nil, errors.Errorf("-mpirun: %s does not run", o.mpirun)
		}
		fmt.Fprintln(stdout, "mpirun is not there: nothing is measured with two processes")
	}
	env, err := suite.CurrentEnvironment(ctx)
	if err != nil {
		return nil, err
	}
	r := &results{Launcher: l.name, Environment: env, Busy: peers.Busy()}
	if r.Busy != "" {
		fmt.Fprintln(stdout, r.Busy)
	}
	return r, o.measure(ctx, l, r, stdout)
}
