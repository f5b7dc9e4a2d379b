package suite

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// common has the flags that run and tune share.
type common struct {
	selection
	scaleName, optimizerList, dir string
	jobs                          int
}

func (c *common) register(f *flag.FlagSet) {
	f.StringVar(&c.scaleName, "scale", "small", "scale of the experiments: smoke, small or paper")
	f.StringVar(&c.optimizerList, "optimizers", "", "methods, separated by commas; rivals stands for NAdamW and all rules of recent years (default: the experiment's own)")
	f.StringVar(&c.dir, "out", "results", "folder of the results")
	f.IntVar(&c.jobs, "jobs", 1, "number of parallel runs; with more than one their times are not comparable")
}

// lock locks the folder of results against other processes until unlock is called.
func (c *common) lock() (unlock func(), err error) {
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return nil, errors.Wrap(err, "results")
	}
	l, err := durable.LockFolder(c.dir)
	if err != nil {
		return nil, errors.WithMessage(err, "-out")
	}
	return func() { _ = l.Unlock() }, nil
}

// check validates the flags and completes the selection.
func (c *common) check(names []string) (err error) {
	c.names = names
	if c.scale, err = experiments.ParseScale(c.scaleName); err != nil {
		return errors.WithMessage(err, "-scale")
	}
	if err := between("jobs", c.jobs, maxJobs); err != nil {
		return err
	}
	if c.dir == "" {
		return errors.New("-out must not be empty")
	}
	for name := range strings.SplitSeq(c.optimizerList, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		names, err := methods.Named(name)
		if err != nil {
			return errors.WithMessage(err, "-optimizers")
		}
		c.optimizers = append(c.optimizers, names...)
	}
	_, err = c.experiments()
	return err
}

// maxJobs bounds -jobs.
const maxJobs = 1024

// between returns an error if a flag's value is not from 1 to most.
func between(flag string, v, most int) error {
	if v >= 1 && v <= most {
		return nil
	}
	return errors.Errorf("-%s %d must be from 1 to %d", flag, v, most)
}

// ParseFlags parses the flags of a subcommand and names in any order and calls check with
// the names. After -h, which prints usage and the flags to stdout, or an error, which goes to
// stderr, ok is false and code is the exit code.
func ParseFlags(f *flag.FlagSet, usage string, args []string, stdout, stderr io.Writer, check func(names []string) error) (code int, ok bool) {
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	print := func(w io.Writer) {
		fmt.Fprint(w, usage, "\nFlags:\n")
		f.SetOutput(w)
		f.PrintDefaults()
	}
	var names []string
	err := f.Parse(args)
	for err == nil && f.NArg() > 0 {
		names = append(names, f.Arg(0))
		err = f.Parse(f.Args()[1:])
	}
	if errors.Is(err, flag.ErrHelp) {
		print(stdout)
		return exitOK, false
	}
	if err == nil {
		err = check(names)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n(-h lists the flags)\n", f.Name(), err)
		return exitUsage, false
	}
	return exitOK, true
}

// NoNames is a check for ParseFlags of a subcommand that takes flags alone.
func NoNames(check func() error) func(names []string) error {
	return func(names []string) error {
		if len(names) > 0 {
			return errors.Errorf("unexpected argument %q", names[0])
		}
		return check()
	}
}
