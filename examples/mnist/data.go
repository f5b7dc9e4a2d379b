package main

import (
	"context"
	"fmt"
	"io"

	"github.com/apo-gorgonia/apo/benchmarks/datasets"
	"github.com/apo-gorgonia/apo/trainers"
)

// load reads the data set, downloading it where it is nowhere.
func load(ctx context.Context, s settings, stderr io.Writer, source []datasets.Option) (train, test trainers.Data, err error) {
	dtype, err := s.dtype()
	if err != nil {
		return train, test, err
	}
	last := ""
	opts := append([]datasets.Option{datasets.WithProgress(func(name string, done, total int64) {
		if name != last {
			fmt.Fprintf(stderr, "downloading %s\n", name)
			last = name
		}
	})}, source...)
	if s.Data == "fashion" {
		return datasets.FashionMNIST(ctx, dtype, opts...)
	}
	return datasets.MNIST(ctx, dtype, opts...)
}
