package main

import (
	"context"
	"flag"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/examples/internal/app"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// The sizes of MNIST and Fashion-MNIST.
const pixels, classes = 28 * 28, 10

// settings are what the flags set. Pointers are nil where no flag was given.
type settings struct {
	app.Settings
	Hidden     []int    `json:"hidden"`
	Activation string   `json:"activation"`
	Meta       string   `json:"meta,omitempty"`
	MetaLR     *float64 `json:"meta_lr,omitempty"`
	PerLayer   bool     `json:"per_layer"`
}

var _ app.Program = (*settings)(nil)

// SetDefaults implements app.Program.
func (s *settings) SetDefaults() {
	*s = settings{Settings: app.Defaults("mnist"), Hidden: []int{1000, 1000}, Activation: "relu"}
}

// Flags implements app.Program.
func (s *settings) Flags(fs *flag.FlagSet) {
	fs.Func("hidden", "widths of the hidden layers (default 1000,1000)", cli.Counts(&s.Hidden, "a width"))
	fs.StringVar(&s.Activation, "activation", s.Activation, "activation of the hidden layers: relu, sigmoid, tanh or identity")
	fs.StringVar(&s.Meta, "meta", s.Meta, "meta-optimizer: adam, rmsprop or sgd (default the library's, adam)")
	fs.Func("meta-lr", "learning rate of the meta-optimizer (default 0.1 for sgdm, else the library's)", cli.Float(&s.MetaLR))
	fs.BoolVar(&s.PerLayer, "per-layer", s.PerLayer, "learn a rate for each layer")
}

// Complete implements app.Program. The values for SGDm were found with 2×1000 hidden
// units and 3 epochs. SGDm's momentum goes on where the lookahead of one step ends,
// so the rate is judged too well: with the library's settings it still rises when
// the loss no longer falls. The weight-space term bounds it, here by about 0.1.
func (s *settings) Complete() {
	if s.Optimizer != "sgdm" {
		return
	}
	setDefault(&s.K, 5)
	setDefault(&s.FSD, 0.3)
	setDefault(&s.WSD, 2)
	if s.Meta == "" || s.Meta == "adam" {
		setDefault(&s.MetaLR, 0.1)
	}
}

func setDefault[T any](setting **T, value T) {
	if *setting == nil {
		*setting = &value
	}
}

// Check implements app.Program.
func (s *settings) Check() error {
	dtype, err := cli.Dtype(s.Dtype)
	if err != nil {
		return err
	}
	if err := cli.First(
		cli.Rate("meta-lr", s.MetaLR),
		cli.Net("hidden", s.widths(), max(s.Batch, mnist.EvaluationBatch), int(dtype.Size())),
	); err != nil {
		return err
	}
	if _, err := s.Model(); err != nil {
		return err
	}
	if _, err := s.metaOptimizer(); err != nil {
		return err
	}
	switch p := s.Precond(); {
	case p != nil && s.PerLayer:
		return errors.Errorf("-per-layer: %s has no learning rates, it learns its preconditioner", s.Optimizer)
	case p != nil && p.Learner() != nil && (s.Meta != "" || s.MetaLR != nil):
		return errors.Errorf("-meta, -meta-lr: %s has no meta-optimizer, it takes relative steps", s.Optimizer)
	}
	return nil
}

// Title implements app.Program.
func (s *settings) Title() string { return "net on " + s.Data }

// Model implements app.Program.
func (s *settings) Model() (*layers.Model, error) {
	act, err := apoops.ParseActivation(s.Activation)
	if err != nil {
		return nil, errors.WithMessage(err, "-activation")
	}
	return layers.MLPWith(act, s.widths()...), nil
}

// widths are those of all layers.
func (s *settings) widths() []int { return slices.Concat([]int{pixels}, s.Hidden, []int{classes}) }

// Load implements app.Program.
func (s *settings) Load(ctx context.Context, dtype tensor.Dtype, opts ...datasets.Option) (train, test trainers.Dataset, err error) {
	if s.Data == "fashion" {
		return datasets.FashionMNIST(ctx, dtype, opts...)
	}
	return datasets.MNIST(ctx, dtype, opts...)
}
