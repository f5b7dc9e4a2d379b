package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

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

// names lists the keys of a table, in order.
func names[V any](table map[string]V) string {
	var all []string
	for name := range table {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (s settings) dataSet() (dataSet, error) {
	d, ok := dataSets[s.Data]
	if !ok {
		return d, errors.Errorf("-data %q: it must be one of %s", s.Data, names(dataSets))
	}
	return d, nil
}

// load reads the data set, downloading it where it is nowhere.
func load(ctx context.Context, s settings, stderr io.Writer, source []datasets.Option) (train, test *datasets.ColorImages, err error) {
	dtype, err := cli.Dtype(s.Dtype)
	if err != nil {
		return nil, nil, err
	}
	set, err := s.dataSet()
	if err != nil {
		return nil, nil, err
	}
	bar := cli.NewDownloads(stderr)
	defer bar.Close()
	train, test, err = set.load(ctx, dtype, append([]datasets.Option{datasets.WithProgress(bar.Show)}, source...)...)
	if err != nil {
		return nil, nil, err
	}
	if s.Limit > 0 {
		train = train.First(s.Limit)
	}
	if s.Augment {
		train = train.Augmented(datasets.CropFlip)
	}
	return train, test, nil
}
