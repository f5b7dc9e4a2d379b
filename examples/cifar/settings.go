package main

import (
	"encoding/json"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// settings describe a run. They are kept in settings.json, so that -resume goes
// on with the same ones. Pointers are nil where no flag was given.
type settings struct {
	Model       string          `json:"model"`
	Data        string          `json:"data"`
	Limit       int             `json:"limit"`
	Augment     bool            `json:"augment"`
	Optimizer   string          `json:"opt"`
	Settings    json.RawMessage `json:"settings,omitempty"`
	LR          *float64        `json:"lr,omitempty"`
	WeightDecay *float64        `json:"weight-decay,omitempty"`
	APO         string          `json:"apo,omitempty"`
	K           *int            `json:"k,omitempty"`
	FSD         *float64        `json:"fsd,omitempty"`
	WSD         *float64        `json:"wsd,omitempty"`
	Batch       int             `json:"batch"`
	Epochs      int             `json:"epochs"`
	Schedule    string          `json:"schedule"`
	DecayAt     []int           `json:"decay-at,omitempty"`
	DecayBy     float64         `json:"decay-by"`
	WarmUp      int             `json:"warm-up"`
	Seed        uint64          `json:"seed"`
	Dtype       string          `json:"dtype"`

	out string
}

// mostImages is more than any of the sets has.
const mostImages = 100_000

func defaults() settings {
	return settings{
		Model: "lenet", Data: "cifar10", Optimizer: "sgdm", Batch: 128, Epochs: 3, Schedule: "constant", DecayBy: 0.1,
		Seed: 1, Dtype: "float32", out: filepath.Join("out", "cifar"),
	}
}

// check reports what no other package would, or without the flag's name.
func (s settings) check() error {
	if s.out == "" {
		return errors.New("-out must not be empty")
	}
	if err := cli.First(
		cli.Between("limit", s.Limit, 0, mostImages),
		cli.Between("batch", s.Batch, 1, mostImages),
		cli.Between("epochs", s.Epochs, 1, cli.MostEpochs),
		cli.Between("warm-up", s.WarmUp, 0, cli.MostSteps),
		cli.Count("k", s.K),
		cli.Weight("lr", s.LR),
		cli.Weight("weight-decay", s.WeightDecay),
		cli.Weight("fsd", s.FSD),
		cli.Weight("wsd", s.WSD),
		cli.Rate("decay-by", &s.DecayBy),
	); err != nil {
		return err
	}
	for _, epoch := range s.DecayAt {
		if err := cli.Between("decay-at", epoch, 1, cli.MostEpochs); err != nil {
			return err
		}
	}
	if _, err := cli.Dtype(s.Dtype); err != nil {
		return err
	}
	if _, err := s.model(); err != nil {
		return err
	}
	if _, err := s.optimizer(); err != nil {
		return err
	}
	if _, err := s.rates(); err != nil {
		return err
	}
	if _, err := s.schedule(1); err != nil {
		return err
	}
	return s.checkMemory()
}

// continues reports settings that differ from those of the run to resume. A run
// may become longer where nothing in it depends on its length.
func (s settings) continues(stored settings) error {
	rates, err := s.rates()
	if err != nil {
		return err
	}
	if s.Epochs != stored.Epochs {
		switch {
		case s.Schedule == "cosine" || s.Schedule == "step" && len(s.DecayAt) == 0:
			return errors.Errorf("-epochs %d: the schedule %s was made for %d epochs", s.Epochs, s.Schedule, stored.Epochs)
		case rates == apoCalibrated:
			return errors.Errorf("-epochs %d: the calibrated rate falls over the %d epochs that the run was started with", s.Epochs, stored.Epochs)
		}
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
