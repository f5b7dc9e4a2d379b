package peers

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/pkg/errors"
)

// Name is the subcommand's name; Run starts its own program with it again.
const Name = "peers"

const usage = `Usage: benchmarks peers [FLAG...]

Measures training steps here and in PyTorch: forward, softmax cross entropy,
backward and SGD with momentum 0.9, on random data of ten classes in float32. The
contests are nets: a fully connected one (mlp, 784-1000-1000-10 with ReLU) and
those of images of 3×32×32. Each side runs in a process of its own, in turn. Its
time is that of whole steps; its memory is the peak of that process's resident
memory (Linux: VmHWM), and beside it the part above what the process had before
the net was made. All contests take about five minutes on two cores.

Flags:
`

// Run is the subcommand; it returns the exit code: 0 where the contests were held
// or PyTorch is missing, 1 where a side failed, 2 for wrong usage.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := o.flags()
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		printUsage(stdout, flags)
		return 0
	}
	if err == nil && flags.NArg() > 0 {
		err = errors.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err == nil {
		err = o.check()
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n\n", Name, err)
		printUsage(stderr, flags)
		return 2
	}
	if o.ours != "" {
		err = o.measure(stdout)
	} else {
		err = o.run(ctx, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", Name, err)
		return 1
	}
	return 0
}

func printUsage(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(w, usage)
	flags.SetOutput(w)
	flags.PrintDefaults()
}

// measure is what a process of this library's side does.
func (o *options) measure(stdout io.Writer) error {
	c, err := find(o.ours)
	if err != nil {
		return err
	}
	s := o.size.or(c.size)
	m, err := measureOurs(c.net, settings{o.batch, s.steps, s.warmup}, o.profile)
	if err != nil {
		return err
	}
	return errors.Wrap(json.NewEncoder(stdout).Encode(m), "writing the measurement")
}

// run holds the contests.
func (o *options) run(ctx context.Context, stdout io.Writer) error {
	candidates := pythons
	if o.python != "" {
		candidates = []string{o.python}
	}
	python := findTorch(ctx, candidates)
	if python == "" {
		fmt.Fprintf(stdout, "skipped: PyTorch not found (tried %s)\n", strings.Join(candidates, ", "))
		return ctx.Err()
	}
	all, err := o.contests()
	if err != nil {
		return err
	}
	if text := busy(); text != "" {
		fmt.Fprintln(stdout, text)
	}
	var results []result
	var failed []string
	for _, c := range all {
		fmt.Fprintf(stdout, "%s: batch %d, %d rounds of %d steps after %d\n\n", c.net, o.batch, c.size.rounds, c.size.steps, c.size.warmup)
		r, err := o.hold(ctx, c, python)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			fmt.Fprintf(stdout, "failed: %v\n\n", err)
			failed = append(failed, c.net)
			continue
		}
		if err := r.report(stdout); err != nil {
			return err
		}
		fmt.Fprintln(stdout)
		results = append(results, r)
	}
	if err := summary(stdout, results); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.Errorf("%s failed", strings.Join(failed, ", "))
	}
	return nil
}

// hold holds one contest.
func (o *options) hold(ctx context.Context, c contest, python string) (result, error) {
	counts, err := o.threadCounts()
	if err != nil {
		return result{}, err
	}
	s := settings{o.batch, c.size.steps, c.size.warmup}
	sides := []*contender{{name: "ours", run: ourProcess(c.net, s)}}
	for _, n := range counts {
		name := "PyTorch"
		if n > 0 {
			name = fmt.Sprintf("PyTorch-%d", n)
		}
		sides = append(sides, &contender{name: name, run: torchProcess(python, c.net, n, s)})
	}
	err = compete(ctx, c.size.rounds, sides, func(round int, side string, m measurement) error {
		return record{Contest: c.net, Side: side, Round: round, Batch: s.batch, Steps: s.steps, Warmup: s.warmup, measurement: m}.add(o.out)
	})
	return result{c, sides}, err
}
