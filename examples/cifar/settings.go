package main

import (
	"encoding/json"
	"flag"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/app"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/layers"
)

// settings are what the flags set. Pointers are nil where no flag was given.
type settings struct {
	app.Settings
	Net         string   `json:"model"`
	Limit       int      `json:"limit"`
	Augment     bool     `json:"augment"`
	WeightDecay *float64 `json:"weight-decay,omitempty"`
	APO         string   `json:"apo,omitempty"`
	DecayAt     []int    `json:"decay-at,omitempty"`
	DecayBy     float64  `json:"decay-by"`
}

var _ app.Program = (*settings)(nil)

// SetDefaults implements app.Program.
func (s *settings) SetDefaults() {
	*s = settings{Settings: app.Defaults("cifar10"), Net: "lenet", DecayBy: 0.1}
}

// Flags implements app.Program.
func (s *settings) Flags(fs *flag.FlagSet) {
	fs.StringVar(&s.Net, "model", s.Net, "net: one of "+strings.Join(layers.ImageModels(), ", "))
	fs.IntVar(&s.Limit, "limit", s.Limit, "train on the first `N` images only, 0 for all")
	fs.BoolVar(&s.Augment, "augment", s.Augment, "crop after padding by 4 pixels and mirror at random")
	fs.Func("weight-decay", "weight decay, of all parameters (default the optimizer's)", cli.Float(&s.WeightDecay))
	fs.StringVar(&s.APO, "apo", s.APO, "how APO adapts the rate: none, plain (down its gradient) or calibrated (default calibrated; for kfac, ekfac and shampoo none, or plain with -group)")
	fs.Func("decay-at", "epochs after which the step schedule lowers the rate, such as 60,120,160 (default 1/2 and 3/4 of all)", cli.Counts(&s.DecayAt, "a number of epochs"))
	fs.Float64Var(&s.DecayBy, "decay-by", s.DecayBy, "factor of the step schedule")
}

// Check implements app.Program.
func (s *settings) Check() error {
	if err := cli.First(
		cli.Between("limit", s.Limit, 0, mostImages),
		cli.Weight("weight-decay", s.WeightDecay),
		cli.Rate("decay-by", &s.DecayBy),
	); err != nil {
		return err
	}
	for _, epoch := range s.DecayAt {
		if err := cli.Between("decay-at", epoch, 1, cli.MostEpochs); err != nil {
			return err
		}
	}
	if _, err := s.Model(); err != nil {
		return err
	}
	if _, err := s.rates(); err != nil {
		return err
	}
	return s.checkMemory()
}

// Decay implements app.Program.
func (s *settings) Decay() (float64, []int) { return s.DecayBy, s.DecayAt }

// OptimizerSettings implements app.Program: -weight-decay adds to those of -settings.
func (s *settings) OptimizerSettings() ([]byte, error) {
	if s.WeightDecay == nil {
		return s.Extra, nil
	}
	if s.Precond() != nil {
		return nil, errors.Errorf("-weight-decay: %s has none", s.Optimizer)
	}
	all := make(map[string]json.RawMessage)
	if len(s.Extra) > 0 {
		err := json.Unmarshal(s.Extra, &all)
		if err == nil && all == nil {
			err = errors.New("null is no JSON object")
		}
		if err != nil {
			return nil, errors.Wrap(err, "-settings")
		}
	}
	text, err := json.Marshal(*s.WeightDecay)
	if err != nil {
		return nil, errors.Wrap(err, "-weight-decay")
	}
	all["weight_decay"] = text
	return json.Marshal(all)
}
