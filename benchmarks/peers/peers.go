package peers

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// Name is the subcommand's name; Run starts its own program with it again.
const Name = "peers"

const usage = `Usage: benchmarks peers [FLAG...]

Times a training step of a fully connected net, 784-1000-1000-10 with ReLU in
float32, here and in PyTorch: forward, softmax cross entropy, backward and SGD
with momentum. Each side runs in a process of its own, in turn.

Flags:
`

// settings are what both sides need to know.
type settings struct{ batch, steps, warmup int }

// arguments are the settings as flags that begin with dash.
func (s settings) arguments(dash string) []string {
	return []string{
		dash + "batch", strconv.Itoa(s.batch),
		dash + "steps", strconv.Itoa(s.steps),
		dash + "warmup", strconv.Itoa(s.warmup),
	}
}

type options struct {
	settings
	rounds  int
	threads string
	python  string
	ours    bool
}

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet(Name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.IntVar(&o.batch, "batch", 128, "examples in a batch")
	f.IntVar(&o.steps, "steps", 50, "timed steps in a round")
	f.IntVar(&o.warmup, "warmup", 20, "steps before them")
	f.IntVar(&o.rounds, "rounds", 7, "how often each side runs")
	f.StringVar(&o.threads, "threads", "2,1", "numbers of threads that PyTorch runs on, one side for each")
	f.StringVar(&o.python, "python", "", "the Python that has PyTorch (default: the first found of "+strings.Join(pythons, ", ")+")")
	f.BoolVar(&o.ours, "ours", false, "time this library alone, in this process, and print JSON")
	return f
}

func (o *options) check() error {
	if o.batch < 1 || o.steps < 1 || o.rounds < 1 || o.warmup < 0 {
		return errors.Errorf("-batch %d, -steps %d, -rounds %d must be 1 or more, -warmup %d 0 or more", o.batch, o.steps, o.rounds, o.warmup)
	}
	_, err := o.threadCounts()
	return err
}

func (o *options) threadCounts() ([]int, error) {
	var counts []int
	for word := range strings.SplitSeq(o.threads, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 {
			return nil, errors.Errorf("-threads %q: numbers of 1 or more, separated by commas, are needed", o.threads)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

// Run is the subcommand; it returns the exit code: 0 where the times were
// measured or PyTorch is missing, 1 where a side failed, 2 for wrong usage.
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
	if err := o.run(ctx, stdout); err != nil {
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

func (o *options) run(ctx context.Context, stdout io.Writer) error {
	if o.ours {
		m, err := measureOurs(o.settings)
		if err != nil {
			return err
		}
		return errors.Wrap(json.NewEncoder(stdout).Encode(m), "writing the measurement")
	}
	candidates := pythons
	if o.python != "" {
		candidates = []string{o.python}
	}
	python := findTorch(ctx, candidates)
	if python == "" {
		fmt.Fprintf(stdout, "skipped: PyTorch not found (tried %s)\n", strings.Join(candidates, ", "))
		return ctx.Err()
	}
	counts, err := o.threadCounts()
	if err != nil {
		return err
	}
	sides := []*contender{{name: "ours", run: ourProcess(o.settings)}}
	for _, n := range counts {
		sides = append(sides, &contender{name: fmt.Sprintf("PyTorch-%d", n), run: torchProcess(python, n, o.settings)})
	}
	fmt.Fprintf(stdout, "One step of 784-1000-1000-10, batch %d, float32, SGD with momentum: %d rounds of %d steps, the sides in turn\n\n", o.batch, o.rounds, o.steps)
	if err := contest(ctx, o.rounds, sides); err != nil {
		return err
	}
	return report(stdout, sides)
}
