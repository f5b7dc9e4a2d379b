package datasets

import (
	"bytes"
	"context"
	"slices"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// tableSet is a regression set in one comma-separated file with a header.
type tableSet struct {
	set    set
	file   file
	target string
	// drop names a further column that is no input, "" for none.
	drop   string
	inputs int
}

func (s tableSet) load(ctx context.Context, dtype tensor.Dtype, opts []Option) (batch.Data, error) {
	if err := checkDtype(dtype); err != nil {
		return batch.Data{}, err
	}
	var data batch.Data
	err := newConfig(opts).load(ctx, s.set, s.file, func(content []byte) (err error) {
		data, err = s.decode(dtype, content)
		return err
	})
	return data, err
}

// decode makes standardised inputs and targets of the file's content.
func (s tableSet) decode(dtype tensor.Dtype, content []byte) (batch.Data, error) {
	table, err := DecodeCSV(bytes.NewReader(content), true)
	if err != nil {
		return batch.Data{}, err
	}
	if s.drop != "" {
		if table, err = without(table, s.drop); err != nil {
			return batch.Data{}, err
		}
	}
	target := slices.Index(table.Names, s.target)
	if target < 0 {
		return batch.Data{}, errors.Errorf("no column %q", s.target)
	}
	if table.Cols-1 != s.inputs {
		return batch.Data{}, errors.Errorf("%d input columns, want %d", table.Cols-1, s.inputs)
	}
	x, t := splitColumn(table, target)
	if err := standardise(x, s.inputs); err != nil {
		return batch.Data{}, errors.Wrap(err, "inputs")
	}
	if err := standardise(t, 1); err != nil {
		return batch.Data{}, errors.Wrap(err, "target")
	}
	return batch.Data{
		X: matrix(dtype, table.Rows, s.inputs, x, 1),
		T: matrix(dtype, table.Rows, 1, t, 1),
	}, nil
}
