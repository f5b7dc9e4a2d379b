package main

import (
	"context"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// mostImages is more than any of the sets has.
const mostImages = 100_000

// dataSet is one of the data sets.
type dataSet struct {
	classes int
	load    func(ctx context.Context, dtype tensor.Dtype, opts ...datasets.Option) (train, test *datasets.ColorImages, err error)
}

var dataSets = map[string]dataSet{
	"cifar10":  {10, datasets.CIFAR10},
	"cifar100": {100, datasets.CIFAR100},
	"svhn":     {10, datasets.SVHN},
}

// Title implements app.Program.
func (s *settings) Title() string { return s.Net + " on " + s.Data }

// Model implements app.Program.
func (s *settings) Model() (*layers.Model, error) {
	if all := layers.ImageModels(); !slices.Contains(all, s.Net) {
		return nil, errors.Errorf("-model %q: it must be one of %s", s.Net, strings.Join(all, ", "))
	}
	return layers.ImageModel(s.Net, dataSets[s.Data].classes)
}

// Load implements app.Program.
func (s *settings) Load(ctx context.Context, dtype tensor.Dtype, opts ...datasets.Option) (train, test trainers.Dataset, err error) {
	images, testImages, err := dataSets[s.Data].load(ctx, dtype, opts...)
	if err != nil {
		return nil, nil, err
	}
	if s.Limit > 0 {
		images = images.First(s.Limit)
	}
	if s.Augment {
		images = images.Augmented(datasets.CropFlip)
	}
	return images, testImages, nil
}
