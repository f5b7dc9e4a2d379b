package suite

import (
	"flag"
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
