package datasets

import (
	"context"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"gorgonia.org/tensor"
)

var fashionMNIST = imageSet{
	set: set{
		title:   "Fashion-MNIST",
		name:    "fashion-mnist",
		folders: []string{"fashion-mnist", ""},
		system:  []string{"/usr/share/datasets/fashion-mnist"}, // Debian's dataset-fashion-mnist
	},
	train: imageFiles{
		images: file{name: "train-images-idx3-ubyte", size: 47040016,
			sum: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
		labels: file{name: "train-labels-idx1-ubyte", size: 60008,
			sum: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
	},
	test: imageFiles{
		images: file{name: "t10k-images-idx3-ubyte", size: 7840016,
			sum: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
		labels: file{name: "t10k-labels-idx1-ubyte", size: 10008,
			sum: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"},
	},
	mirrors: []string{
		"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
		"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
	},
}

// FashionMNIST returns the 60000 training and 10000 test examples of clothing
// in the shapes of MNIST: X is N×784 with pixels in [0,1], T is a vector of
// classes 0 to 9 as tensor.Int (T-shirt, trouser, pullover, dress, coat,
// sandal, shirt, sneaker, bag, ankle boot). Rows are in the published order.
// Debian's package dataset-fashion-mnist is used if it is installed.
//
// The errors are those of MNIST.
func FashionMNIST(ctx context.Context, dtype tensor.Dtype, opts ...Option) (train, test batch.Data, err error) {
	return fashionMNIST.load(ctx, dtype, opts)
}
