package main

import (
	"encoding/json"
	"flag"
	"io"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers"
)

// settings describe a run. They are kept in settings.json, so that -resume goes
// on with the same ones. Pointers are nil where no flag was given.
type settings struct {
	Data       string          `json:"data"`
	Hidden     []int           `json:"hidden"`
	Activation string          `json:"activation"`
	Optimizer  string          `json:"optimizer"`
	Settings   json.RawMessage `json:"settings,omitempty"`
	LR         *float64        `json:"lr,omitempty"`
	K          *int            `json:"k,omitempty"`
	FSD        *float64        `json:"fsd,omitempty"`
	WSD        *float64        `json:"wsd,omitempty"`
	Meta       string          `json:"meta,omitempty"`
	MetaLR     *float64        `json:"meta_lr,omitempty"`
	PerLayer   bool            `json:"per_layer"`
	Batch      int             `json:"batch"`
	Epochs     int             `json:"epochs"`
	Seed       uint64          `json:"seed"`
	Dtype      string          `json:"dtype"`
	Schedule   string          `json:"schedule"`
	WarmUp     int             `json:"warm_up"`

	out string
}

// parse reads the flags. With -resume they change the settings of the run in
// the folder -out, where only the number of epochs may change.
func parse(args []string, stdout io.Writer) (s settings, resume bool, err error) {
	s = settings{
		Data: "mnist", Hidden: []int{1000, 1000}, Activation: "relu", Optimizer: "sgdm",
		Batch: 128, Epochs: 3, Seed: 1, Dtype: "float32", Schedule: "constant",
		out: filepath.Join("out", "mnist"),
	}
	fs := s.flags(&resume)
	if err := cli.Parse(fs, args, about, stdout); err != nil {
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
	s.tune()
	return s, resume, cli.AsUsage(s.check())
}

// flags defines the flags with the present settings as defaults.
func (s *settings) flags(resume *bool) *flag.FlagSet {
	fs := flag.NewFlagSet("mnist", flag.ContinueOnError)
	fs.StringVar(&s.Data, "data", s.Data, "data set: mnist or fashion")
	fs.Func("hidden", "widths of the hidden layers (default 1000,1000)", cli.Counts(&s.Hidden, "a width"))
	fs.StringVar(&s.Activation, "activation", s.Activation, "activation of the hidden layers: relu, sigmoid, tanh or identity")
	fs.StringVar(&s.Optimizer, "optimizer", s.Optimizer, "one of "+strings.Join(trainers.OptimizerNames(), ", "))
	fs.Func("settings", `the optimizer's other settings as JSON, such as '{"momentum": 0.95}'`, func(text string) error {
		s.Settings = json.RawMessage(text)
		return nil
	})
	fs.Func("lr", "initial learning rate (default "+cli.RatesHelp(ownRates)+")", cli.Float(&s.LR))
	fs.Func("k", "steps from one meta-step to the next, 0 for none (default 5 for sgdm, else the library's 10)", cli.Int(&s.K))
	fs.Func("fsd", "weight of the function-space term (default 0.3 for sgdm, else the library's)", cli.Float(&s.FSD))
	fs.Func("wsd", "weight of the weight-space term (default 2 for sgdm, else the library's)", cli.Float(&s.WSD))
	fs.StringVar(&s.Meta, "meta", s.Meta, "meta-optimizer: adam, rmsprop or sgd (default the library's, adam)")
	fs.Func("meta-lr", "learning rate of the meta-optimizer (default 0.1 for sgdm, else the library's)", cli.Float(&s.MetaLR))
	fs.BoolVar(&s.PerLayer, "per-layer", s.PerLayer, "learn a rate for each layer")
	fs.IntVar(&s.Batch, "batch", s.Batch, "examples in a mini-batch")
	fs.IntVar(&s.Epochs, "epochs", s.Epochs, "passes over the training set")
	fs.Uint64Var(&s.Seed, "seed", s.Seed, "seed of weights and batches")
	fs.StringVar(&s.Dtype, "dtype", s.Dtype, "float32 or float64")
	fs.StringVar(&s.Schedule, "schedule", s.Schedule, "factor on the rate: constant, cosine (to 0), step (x0.1 after 1/2 and 3/4 of the steps) or inverse-sqrt")
	fs.IntVar(&s.WarmUp, "warm-up", s.WarmUp, "steps over which the rate rises linearly")
	fs.StringVar(&s.out, "out", s.out, "folder for the results, overwritten unless -resume is given")
	fs.BoolVar(resume, "resume", *resume, "go on from the checkpoint in -out; a larger -epochs extends the run")
	return fs
}

// check reports what no other package would, or without the flag's name.
func (s settings) check() error {
	dtype, err := cli.Dtype(s.Dtype)
	if err != nil {
		return err
	}
	if s.Data != "mnist" && s.Data != "fashion" {
		return errors.Errorf("-data %q: it must be mnist or fashion", s.Data)
	}
	if s.out == "" {
		return errors.New("-out must not be empty")
	}
	if err := cli.First(
		cli.Between("batch", s.Batch, 1, trainingImages),
		cli.Between("epochs", s.Epochs, 1, cli.MostEpochs),
		cli.Between("warm-up", s.WarmUp, 0, cli.MostSteps),
		cli.Count("k", s.K),
		cli.Weight("lr", s.LR),
		cli.Weight("fsd", s.FSD),
		cli.Weight("wsd", s.WSD),
		cli.Rate("meta-lr", s.MetaLR),
		cli.Net("hidden", s.widths(), max(s.Batch, evaluationBatch), int(dtype.Size())),
	); err != nil {
		return err
	}
	if _, err := s.model(); err != nil {
		return err
	}
	o, err := s.optimizer()
	if err != nil {
		return err
	}
	if _, err := s.metaOptimizer(); err != nil {
		return err
	}
	p, precond := o.(*trainers.PrecondConfig)
	switch {
	case precond && s.PerLayer:
		return errors.Errorf("-per-layer: %s has no learning rates, it learns its preconditioner", s.Optimizer)
	case precond && p.Relative != nil && (s.Meta != "" || s.MetaLR != nil):
		return errors.Errorf("-meta, -meta-lr: %s has no meta-optimizer, it takes relative steps", s.Optimizer)
	}
	_, err = s.schedule(1)
	return err
}

// continues reports settings that differ from those of the run to resume.
func (s settings) continues(stored settings) error {
	if s.Epochs != stored.Epochs && s.Schedule != "constant" && s.Schedule != "inverse-sqrt" {
		return errors.Errorf("-epochs %d: the schedule %s was made for %d epochs", s.Epochs, s.Schedule, stored.Epochs)
	}
	stored.Epochs = s.Epochs
	return runlog.SameSettings(s.out, s, stored)
}

// readSettings reads those of the run in the folder, which may be damaged.
func readSettings(out string) (settings, error) {
	s := settings{out: out}
	if err := runlog.ReadSettings(out, &s); err != nil {
		return s, err
	}
	return s, errors.WithMessage(s.check(), filepath.Join(out, runlog.SettingsJSON))
}

func (s settings) write() error { return runlog.WriteJSON(s.out, runlog.SettingsJSON, s) }
