package datasets

import (
	"math"
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Synthetic generates n training images and m test images, for runs without files. Each
// class has a pattern of waves, to which each image adds noise. The classes alternate.
// The same arguments give the same images. classes, n and m must be 1 or more, and the
// images must fit into 512 MB.
func Synthetic(seed uint64, dtype tensor.Dtype, classes, n, m int) (train, test *ColorImages, err error) {
	if err := checkDtype(dtype); err != nil {
		return nil, nil, err
	}
	if classes < 1 || n < 1 || m < 1 {
		return nil, nil, errors.Errorf("datasets: synthetic images: %d classes, %d and %d images, want 1 or more", classes, n, m)
	}
	if most := maxBytes / imageBytes; n > most || m > most-n || classes > most {
		return nil, nil, errors.Errorf("datasets: synthetic images: %d classes, %d and %d images, want %d images or fewer", classes, n, m, most)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	patterns := make([][]float64, classes)
	for i := range patterns {
		patterns[i] = waves(rng)
	}
	draw := func(n int) (pixels []byte, labels []int) {
		pixels, labels = make([]byte, n*imageBytes), make([]int, n)
		for i := range labels {
			labels[i] = i % classes
			for j, p := range patterns[labels[i]] {
				pixels[i*imageBytes+j] = byte(min(max(128+40*p+40*rng.NormFloat64(), 0), 255))
			}
		}
		return pixels, labels
	}
	trainPixels, trainLabels := draw(n)
	testPixels, testLabels := draw(m)
	train, test = newColorImages(dtype, classes, trainPixels, trainLabels, testPixels, testLabels)
	return train, test, nil
}

// waves is an image's pattern, one wave for each channel.
func waves(rng *rand.Rand) []float64 {
	pattern := make([]float64, 0, imageBytes)
	for range channels {
		down, right, phase := rng.NormFloat64(), rng.NormFloat64(), 2*math.Pi*rng.Float64()
		for i := range plane {
			pattern = append(pattern, math.Sin(down*float64(i/side)+right*float64(i%side)+phase))
		}
	}
	return pattern
}
