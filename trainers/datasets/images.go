package datasets

import (
	"context"
	"strings"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

const (
	imageSide    = 28
	imageClasses = 10
	imageWhite   = 255
)

// imageSet is a set of labelled 28×28 images in four IDX files, each found as
// NAME.gz at the mirrors. Their names are also written with a dot before idx.
type imageSet struct {
	set         set
	train, test imageFiles
	mirrors     []string
}

type imageFiles struct {
	images, labels file
}

func (s imageSet) load(ctx context.Context, dtype tensor.Dtype, opts []Option) (train, test batch.Data, err error) {
	if err := checkDtype(dtype); err != nil {
		return batch.Data{}, batch.Data{}, err
	}
	c := newConfig(opts)
	if train, err = s.loadPart(ctx, c, dtype, s.train); err != nil {
		return batch.Data{}, batch.Data{}, err
	}
	if test, err = s.loadPart(ctx, c, dtype, s.test); err != nil {
		return batch.Data{}, batch.Data{}, err
	}
	return train, test, nil
}

func (s imageSet) loadPart(ctx context.Context, c *config, dtype tensor.Dtype, part imageFiles) (batch.Data, error) {
	images, err := s.loadIDX(ctx, c, part.images)
	if err != nil {
		return batch.Data{}, err
	}
	classes, err := s.loadIDX(ctx, c, part.labels)
	if err != nil {
		return batch.Data{}, err
	}
	data, err := imageData(dtype, images, classes)
	return data, errors.Wrapf(err, "datasets: %s: %s and %s", s.set.title, part.images.name, part.labels.name)
}

func (s imageSet) loadIDX(ctx context.Context, c *config, f file) (IDX, error) {
	for _, mirror := range s.mirrors {
		f.urls = append(f.urls, mirror+f.name+".gz")
	}
	f.aliases = []string{strings.Replace(f.name, "-idx", ".idx", 1)}
	var idx IDX
	err := c.load(ctx, s.set, f, func(content []byte) (err error) {
		idx, err = DecodeIDX(content)
		return err
	})
	return idx, err
}

// imageData joins images and labels, which must belong together.
func imageData(dtype tensor.Dtype, images, classes IDX) (batch.Data, error) {
	if len(images.Shape) != 3 || images.Shape[1] != imageSide || images.Shape[2] != imageSide {
		return batch.Data{}, errors.Errorf("images have shape %v, want N×%d×%d", images.Shape, imageSide, imageSide)
	}
	if len(classes.Shape) != 1 {
		return batch.Data{}, errors.Errorf("labels have shape %v, want a vector", classes.Shape)
	}
	n := images.Shape[0]
	if classes.Shape[0] != n {
		return batch.Data{}, errors.Errorf("%d images but %d labels", n, classes.Shape[0])
	}
	t, err := labels(classes.Data, imageClasses)
	if err != nil {
		return batch.Data{}, err
	}
	return batch.Data{X: matrix(dtype, n, imageSide*imageSide, images.Data, imageWhite), T: t}, nil
}
