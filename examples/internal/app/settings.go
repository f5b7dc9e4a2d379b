package app

import (
	"encoding/json"
	"flag"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers"
)

// Settings describe a run, as far as programs have them in common. They are kept in
// settings.json, so that -resume goes on with the same ones. Pointers are nil where
// no flag was given.
type Settings struct {
	Data      string          `json:"data"`
	Optimizer string          `json:"optimizer"`
	Extra     json.RawMessage `json:"settings,omitempty"` // of the optimizer
	LR        *float64        `json:"lr,omitempty"`
	Groups    []Group         `json:"groups,omitempty"`
	K         *int            `json:"k,omitempty"`
	FSD       *float64        `json:"fsd,omitempty"`
	WSD       *float64        `json:"wsd,omitempty"`
	Batch     int             `json:"batch"`
	Epochs    int             `json:"epochs"`
	Seed      uint64          `json:"seed"`
	Dtype     string          `json:"dtype"`
	Precision string          `json:"precision,omitempty"` // "" is that of Dtype
	Schedule  string          `json:"schedule"`
	WarmUp    int             `json:"warm_up"`
	Log       []string        `json:"log,omitempty"` // further kinds

	out      string
	live     bool
	findRate bool // measure the learning rate and end
	dryRun   bool // measure some steps and end
}

// Defaults are the settings without flags on a data set.
func Defaults(data string) Settings {
	return Settings{Data: data, Optimizer: "sgdm", Batch: 128, Epochs: 3, Seed: 1, Dtype: "float32", Schedule: "constant"}
}

// Common implements Program.
func (s *Settings) Common() *Settings { return s }

// Complete implements Program: it changes nothing.
func (s *Settings) Complete() {}

// OptimizerSettings implements Program: they are those of -settings.
func (s *Settings) OptimizerSettings() ([]byte, error) { return s.Extra, nil }

// Decay implements Program: it is by ten, after 1/2 and 3/4 of the run.
func (s *Settings) Decay() (float64, []int) { return 0.1, nil }

// CheckExtension implements Program: there is no reason.
func (s *Settings) CheckExtension() error { return nil }

// flags defines the common flags with the present settings as defaults.
func (s *Settings) flags(a *App, fs *flag.FlagSet) {
	byDefault := func(flag string) string {
		if text, ok := a.Defaults[flag]; ok {
			return " (default " + text + ")"
		}
		return " (default the library's)"
	}
	fs.StringVar(&s.Data, "data", s.Data, "data set: one of "+strings.Join(a.Data, ", "))
	fs.StringVar(&s.Optimizer, a.OptimizerFlag, s.Optimizer, "optimizer: one of "+strings.Join(trainers.OptimizerNames(), ", "))
	fs.Func("settings", `the optimizer's other settings as JSON, such as '{"momentum": 0.95}'`, func(text string) error {
		s.Extra = json.RawMessage(text)
		return nil
	})
	fs.Func("lr", "initial learning rate (default "+cli.RatesHelp()+")", cli.Float(&s.LR))
	fs.Func("group", groupHelp, parseGroups(&s.Groups))
	fs.Func("k", "steps from one meta-step to the next, 0 for none"+byDefault("k"), cli.Int(&s.K))
	fs.Func("fsd", "weight of the function-space term"+byDefault("fsd"), cli.Float(&s.FSD))
	fs.Func("wsd", "weight of the weight-space term"+byDefault("wsd"), cli.Float(&s.WSD))
	fs.BoolVar(&s.findRate, "find-rate", s.findRate, "measure the learning rate that suits the optimizer, draw it ("+ratePicture+" in -out) and end")
	fs.BoolVar(&s.dryRun, "dry-run", s.dryRun, cli.DryRunHelp)
	fs.IntVar(&s.Batch, "batch", s.Batch, "images in a mini-batch")
	fs.IntVar(&s.Epochs, "epochs", s.Epochs, "passes over the training set")
	fs.StringVar(&s.Schedule, "schedule", s.Schedule, "factor on the rate: constant, cosine (to 0), step (x0.1 after 1/2 and 3/4 of the steps) or inverse-sqrt")
	fs.IntVar(&s.WarmUp, "warm-up", s.WarmUp, "steps over which the rate rises linearly")
	fs.Uint64Var(&s.Seed, "seed", s.Seed, "seed of everything random")
	fs.StringVar(&s.Dtype, "dtype", s.Dtype, "float32 or float64")
	fs.Func("precision", cli.PrecisionHelp, cli.Precision(&s.Precision))
	fs.Func("log", runlog.KindsHelp+"; with -resume those of the run", runlog.ParseKinds(&s.Log))
	fs.BoolVar(&s.live, "live", s.live, cli.LiveHelp)
	fs.StringVar(&s.out, "out", s.out, "folder for the results, overwritten unless -resume is given")
}

// check reports settings that no other package would, or without the flag's name.
func (a *App) check(p Program) error {
	s := p.Common()
	if s.out == "" {
		return errors.New("-out must not be empty")
	}
	if _, err := cli.Dtype(s.Dtype); err != nil {
		return err
	}
	if err := cli.CheckPrecision(s.Precision, s.Dtype); err != nil {
		return err
	}
	if err := runlog.CheckKinds(s.Log); err != nil {
		return errors.WithMessage(err, "-log")
	}
	if !slices.Contains(a.Data, s.Data) {
		return errors.Errorf("-data %q: it must be one of %s", s.Data, strings.Join(a.Data, ", "))
	}
	if err := cli.First(
		cli.Between("batch", s.Batch, 1, a.Images),
		cli.Between("epochs", s.Epochs, 1, cli.MostEpochs),
		cli.Between("warm-up", s.WarmUp, 0, cli.MostSteps),
		cli.Count("k", s.K),
		cli.Weight("lr", s.LR),
		cli.Weight("fsd", s.FSD),
		cli.Weight("wsd", s.WSD),
	); err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	if _, err := a.Optimizer(p); err != nil {
		return err
	}
	_, err := schedule(p, 1)
	return err
}
