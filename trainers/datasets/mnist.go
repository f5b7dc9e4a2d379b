package datasets

import (
	"context"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"gorgonia.org/tensor"
)

// The sums are those of the unpacked files; the packed originals have the MD5
// sums the authors published.
var mnist = imageSet{
	set: set{title: "MNIST", name: "mnist", folders: []string{"mnist", ""}},
	train: imageFiles{
		images: file{name: "train-images-idx3-ubyte", size: 47040016,
			sum: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
		labels: file{name: "train-labels-idx1-ubyte", size: 60008,
			sum: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
	},
	test: imageFiles{
		images: file{name: "t10k-images-idx3-ubyte", size: 7840016,
			sum: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
		labels: file{name: "t10k-labels-idx1-ubyte", size: 10008,
			sum: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
	},
	mirrors: []string{
		"https://ossci-datasets.s3.amazonaws.com/mnist/",
		"https://storage.googleapis.com/cvdf-datasets/mnist/",
	},
}

// MNIST returns the 60000 training and 10000 test examples of handwritten
// digits: X is N×784 with pixels in [0,1], T is a vector of the digits as
// tensor.Int. Rows are in the published order.
//
// Errors: a dtype other than tensor.Float32 and tensor.Float64, ErrNotFound, a
// damaged file, a cancelled context.
func MNIST(ctx context.Context, dtype tensor.Dtype, opts ...Option) (train, test batch.Data, err error) {
	return mnist.load(ctx, dtype, opts)
}
