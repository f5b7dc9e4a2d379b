package main

import (
	"encoding/json"
	"flag"
	"io"
	"strings"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers"
)

// parse reads the flags. With -resume they change the settings of the run in
// the folder -out, where only the number of epochs may change.
func parse(args []string, stdout io.Writer) (s settings, resume bool, err error) {
	s = defaults()
	if err := cli.Parse(s.flags(&resume), args, about, stdout); err != nil {
		return s, false, err
	}
	if resume {
		stored, err := readSettings(s.out)
		if err != nil {
			return s, true, err
		}
		s = stored
		if err := cli.Parse(s.flags(&resume), args, about, stdout); err != nil {
			return s, true, err
		}
		if err := s.continues(stored); err != nil {
			return s, true, cli.AsUsage(err)
		}
	}
	return s, resume, cli.AsUsage(s.check())
}

// flags defines the flags with the present settings as defaults.
func (s *settings) flags(resume *bool) *flag.FlagSet {
	fs := flag.NewFlagSet("cifar", flag.ContinueOnError)
	fs.StringVar(&s.Model, "model", s.Model, "net: one of "+models())
	fs.StringVar(&s.Data, "data", s.Data, "data set: one of "+names(dataSets))
	fs.IntVar(&s.Limit, "limit", s.Limit, "train on the first `N` images only, 0 for all")
	fs.BoolVar(&s.Augment, "augment", s.Augment, "crop after padding by 4 pixels and mirror at random")
	fs.StringVar(&s.Optimizer, "opt", s.Optimizer, "optimizer: one of "+strings.Join(trainers.OptimizerNames(), ", "))
	fs.Func("settings", `the optimizer's other settings as JSON, such as '{"nesterov": true}'`, func(text string) error {
		s.Settings = json.RawMessage(text)
		return nil
	})
	fs.Func("lr", "(initial) learning rate (default "+cli.RatesHelp(ownRates)+")", cli.Float(&s.LR))
	fs.Func("weight-decay", "weight decay, of all parameters (default the optimizer's)", cli.Float(&s.WeightDecay))
	fs.StringVar(&s.APO, "apo", s.APO, "how APO adapts the rate: none, plain (down its gradient) or calibrated (default calibrated, none for kfac, ekfac and shampoo)")
	fs.Func("k", "steps from one meta-step to the next (default 10)", cli.Int(&s.K))
	fs.Func("fsd", "weight of the function-space term (default the library's; 0 where the rate is calibrated)", cli.Float(&s.FSD))
	fs.Func("wsd", "weight of the weight-space term (default the library's)", cli.Float(&s.WSD))
	fs.IntVar(&s.Batch, "batch", s.Batch, "images in a mini-batch")
	fs.IntVar(&s.Epochs, "epochs", s.Epochs, "passes over the training set")
	fs.StringVar(&s.Schedule, "schedule", s.Schedule, "factor on the rate: constant, step or cosine (to 0)")
	fs.Func("decay-at", "epochs after which the step schedule lowers the rate, such as 60,120,160 (default 1/2 and 3/4 of all)", cli.Counts(&s.DecayAt, "a number of epochs"))
	fs.Float64Var(&s.DecayBy, "decay-by", s.DecayBy, "factor of the step schedule")
	fs.IntVar(&s.WarmUp, "warm-up", s.WarmUp, "steps over which the rate rises linearly")
	fs.Uint64Var(&s.Seed, "seed", s.Seed, "seed of weights, batches and augmentation")
	fs.StringVar(&s.Dtype, "dtype", s.Dtype, "float32 or float64")
	fs.StringVar(&s.out, "out", s.out, "folder for the results, overwritten unless -resume is given")
	fs.BoolVar(resume, "resume", *resume, "go on from the checkpoint in -out; a larger -epochs extends the run")
	return fs
}
