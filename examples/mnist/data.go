package main

import (
	"context"
	"io"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// load reads the data set, downloading it where it is nowhere.
func load(ctx context.Context, s settings, stderr io.Writer, source []datasets.Option) (train, test trainers.Data, err error) {
	dtype, err := cli.Dtype(s.Dtype)
	if err != nil {
		return train, test, err
	}
	bar := cli.NewDownloads(stderr)
	defer bar.Close()
	opts := append([]datasets.Option{datasets.WithProgress(bar.Show)}, source...)
	if s.Data == "fashion" {
		return datasets.FashionMNIST(ctx, dtype, opts...)
	}
	return datasets.MNIST(ctx, dtype, opts...)
}
