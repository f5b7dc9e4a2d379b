package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"

	"github.com/pkg/errors"
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

func defaults() settings {
	return settings{
		Model: "mlp", Data: "cifar10", Optimizer: "sgdm", Batch: 128, Epochs: 3, Schedule: "constant", DecayBy: 0.1,
		Seed: 1, Dtype: "float32", out: filepath.Join("out", "cifar"),
	}
}

// check reports what no other package would.
func (s settings) check() error {
	switch {
	case s.Limit < 0:
		return errors.Errorf("-limit %d: it must be 0 or more", s.Limit)
	case s.Batch < 1:
		return errors.Errorf("-batch %d: it must be 1 or more", s.Batch)
	case s.Epochs < 1:
		return errors.Errorf("-epochs %d: it must be 1 or more", s.Epochs)
	case s.WarmUp < 0:
		return errors.Errorf("-warm-up %d: it must be 0 or more", s.WarmUp)
	}
	if _, err := s.dtype(); err != nil {
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
	_, err := s.schedule(1)
	return err
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
	now, err := s.fields()
	if err != nil {
		return err
	}
	before, err := stored.fields()
	if err != nil {
		return err
	}
	for name := range now {
		if !reflect.DeepEqual(now[name], before[name]) {
			return errors.Errorf("-resume: %s is %v, but the run in %s was started with %v", name, now[name], s.out, before[name])
		}
	}
	return nil
}

// fields are the settings by their names in settings.json.
func (s settings) fields() (map[string]any, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	err = json.Unmarshal(text, &fields)
	return fields, err
}

func readSettings(out string) (settings, error) {
	path := filepath.Join(out, "settings.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return settings{}, errors.Wrap(err, "nothing to resume")
	}
	s := settings{out: out}
	err = json.Unmarshal(text, &s)
	return s, errors.Wrap(err, path)
}

func (s settings) write() error { return writeJSON(filepath.Join(s.out, "settings.json"), s) }

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}
