package datasets

import (
	"context"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// cifar is a set in CIFAR's binary format: records of some labels, each a byte,
// and the 3072 bytes of an image. The last file is the test set.
type cifar struct {
	set     set
	archive archive
	header  []cifarLabel
}

// cifarLabel is one of the labels before an image.
type cifarLabel struct {
	name    string
	classes int
}

var cifar10 = cifar{
	set: set{title: "CIFAR-10", name: "cifar-10", folders: []string{"cifar-10-batches-bin", "cifar-10", ""}},
	archive: archive{
		name: "cifar-10-binary.tar.gz",
		md5:  "c32a1d4ab5d03f1284b67883e8d87530",
		urls: []string{"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"},
		files: []file{
			{name: "data_batch_1.bin", size: 30730000, sum: "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
			{name: "data_batch_2.bin", size: 30730000, sum: "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
			{name: "data_batch_3.bin", size: 30730000, sum: "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
			{name: "data_batch_4.bin", size: 30730000, sum: "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
			{name: "data_batch_5.bin", size: 30730000, sum: "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
			{name: "test_batch.bin", size: 30730000, sum: "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
		},
	},
	header: []cifarLabel{{"class", 10}},
}

var cifar100 = cifar{
	set: set{title: "CIFAR-100", name: "cifar-100", folders: []string{"cifar-100-binary", "cifar-100", ""}},
	archive: archive{
		name: "cifar-100-binary.tar.gz",
		md5:  "03b5dce01913d631647c71ecec9e9cb8",
		urls: []string{"https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"},
		files: []file{
			{name: "train.bin", size: 50000 * (2 + imageBytes), md5: "6172c7755cfe09b2fe270c85cebc1b15"},
			{name: "test.bin", size: 10000 * (2 + imageBytes), md5: "4499cfba6c016c1be1438163640a0898"},
		},
	},
	header: []cifarLabel{{"coarse class", 20}, {"fine class", 100}},
}

// CIFAR10 returns the 50000 training and 10000 test images of CIFAR-10's binary
// version, of 10 classes: airplane, automobile, bird, cat, deer, dog, frog,
// horse, ship, truck. The rows are in the published order.
//
// The errors are those of MNIST.
func CIFAR10(ctx context.Context, dtype tensor.Dtype, opts ...Option) (train, test *ColorImages, err error) {
	return cifar10.load(ctx, dtype, 0, opts)
}

// CIFAR100 returns the 50000 training and 10000 test images of CIFAR-100's
// binary version, with the 100 fine classes, or the 20 coarse ones with
// WithCoarseLabels. The rows are in the published order.
//
// The errors are those of MNIST.
func CIFAR100(ctx context.Context, dtype tensor.Dtype, opts ...Option) (train, test *ColorImages, err error) {
	label := 1
	if newConfig(opts).coarse {
		label = 0
	}
	return cifar100.load(ctx, dtype, label, opts)
}

// load takes the given one of the labels.
func (s cifar) load(ctx context.Context, dtype tensor.Dtype, label int, opts []Option) (train, test *ColorImages, err error) {
	if err := checkDtype(dtype); err != nil {
		return nil, nil, err
	}
	files := len(s.archive.files)
	pixels, labels := make([][]byte, files), make([][]int, files)
	err = newConfig(opts).loadArchive(ctx, s.set, s.archive, func(i int, content []byte) (err error) {
		pixels[i], labels[i], err = s.decode(content, label)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	last := files - 1
	train, test = newColorImages(dtype, s.header[label].classes, joined(pixels[:last]), joined(labels[:last]), pixels[last], labels[last])
	return train, test, nil
}

// decode splits a file into images and one of their labels. The images take the
// place of the records in content.
func (s cifar) decode(content []byte, label int) (pixels []byte, labels []int, err error) {
	record := len(s.header) + imageBytes
	n := len(content) / record
	if n == 0 || len(content)%record != 0 {
		return nil, nil, errors.Errorf("%d bytes are not whole records of %d", len(content), record)
	}
	labels = make([]int, n)
	for i := range labels {
		r := content[i*record : (i+1)*record]
		for j, l := range s.header {
			if int(r[j]) >= l.classes {
				return nil, nil, errors.Errorf("%s of image %d is %d, want 0 to %d", l.name, i, r[j], l.classes-1)
			}
		}
		labels[i] = int(r[label])
		copy(content[i*imageBytes:], r[len(s.header):])
	}
	return content[:n*imageBytes], labels, nil
}

// joined is the parts in one piece; the parts are let go one by one.
func joined[T any](parts [][]T) []T {
	if len(parts) == 1 {
		return parts[0]
	}
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	all := make([]T, 0, n)
	for i, p := range parts {
		all = append(all, p...)
		parts[i] = nil
	}
	return all
}
