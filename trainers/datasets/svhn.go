package datasets

import (
	"context"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

var svhnSet = set{title: "SVHN", name: "svhn", folders: []string{"svhn", ""}}

var svhnTrain = file{
	name: "train_32x32.mat", size: 182040794, md5: "e26dedcc434d2e4c54c9b2d4a06d8373",
	urls: []string{"http://ufldl.stanford.edu/housenumbers/train_32x32.mat"},
}

var svhnTest = file{
	name: "test_32x32.mat", size: 64275384, md5: "eb5a983be6a315427106f1b164d9cef3",
	urls: []string{"http://ufldl.stanford.edu/housenumbers/test_32x32.mat"},
}

// SVHN returns the 73257 training and 26032 test images of the Street View
// House Numbers, cropped to single digits: the class is the digit, which the
// published files give as 10 where it is 0. The rows are in the published order;
// the set's extra images are left out.
//
// The errors are those of MNIST.
func SVHN(ctx context.Context, dtype tensor.Dtype, opts ...Option) (train, test *ColorImages, err error) {
	if err := checkDtype(dtype); err != nil {
		return nil, nil, err
	}
	c := newConfig(opts)
	var pixels [2][]byte
	var labels [2][]int
	for i, f := range []file{svhnTrain, svhnTest} {
		err := c.load(ctx, svhnSet, f, func(content []byte) (err error) {
			pixels[i], labels[i], err = decodeSVHN(content)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	train, test = newColorImages(dtype, 10, pixels[0], labels[0], pixels[1], labels[1])
	return train, test, nil
}

// decodeSVHN takes X, 32×32×3×N, and y, N×1 or 1×N, of a MAT-file.
func decodeSVHN(content []byte) (pixels []byte, labels []int, err error) {
	all, err := DecodeMAT(content)
	if err != nil {
		return nil, nil, err
	}
	x, err := matNamed(all, "X", []int{side, side, channels, 0})
	if err != nil {
		return nil, nil, err
	}
	n := x.Shape[3]
	y, err := matNamed(all, "y", []int{n, 1}, []int{1, n})
	if err != nil {
		return nil, nil, err
	}
	labels = make([]int, n)
	for i, digit := range y.Data {
		if digit < 1 || digit > 10 {
			return nil, nil, errors.Errorf("label %d is %d, want 1 to 10", i, digit)
		}
		labels[i] = int(digit) % 10
	}
	// The first dimension, the rows, runs fastest.
	for at := 0; at < len(x.Data); at += plane {
		transpose(x.Data[at : at+plane])
	}
	return x.Data, labels, nil
}

// transpose turns a plane over.
func transpose(p []byte) {
	for i := range side {
		for j := range i {
			p[i*side+j], p[j*side+i] = p[j*side+i], p[i*side+j]
		}
	}
}
