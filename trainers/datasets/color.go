package datasets

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// ColorImages is a set of labelled colour images. It keeps them as bytes, which takes a
// quarter of the memory of float32, and makes mini-batches on demand: X is n×3×32×32
// (NCHW) of the loader's dtype, T an n-vector of classes as tensor.Int. Each pixel is
//
//	(byte - mean_c)/std_c
//
// with the mean and the standard deviation of its channel c (red, green, blue) over the
// training set. The test set uses those of the training set.
type ColorImages struct {
	pixels  []byte // N×3×32×32
	labels  []int
	classes int
	norm    *normalisation
	augment Augmentation
}

var _ batch.Dataset = (*ColorImages)(nil)

// The size of an image.
const (
	channels   = 3
	side       = 32
	plane      = side * side
	imageBytes = channels * plane
)

// normalisation turns the bytes of a channel into numbers of one dtype.
type normalisation struct {
	dtype     tensor.Dtype
	mean, std [channels]float64
	fill      filler
}

// newColorImages makes the two parts of a set from their bytes. The dtype must
// have passed checkDtype, and the labels must be in range.
func newColorImages(dtype tensor.Dtype, classes int, trainPixels []byte, trainLabels []int, testPixels []byte, testLabels []int) (train, test *ColorImages) {
	norm := newNormalisation(dtype, trainPixels)
	train = &ColorImages{pixels: trainPixels, labels: trainLabels, classes: classes, norm: norm}
	test = &ColorImages{pixels: testPixels, labels: testLabels, classes: classes, norm: norm}
	return train, test
}

func newNormalisation(dtype tensor.Dtype, pixels []byte) *normalisation {
	m := &normalisation{dtype: dtype}
	var table [channels][256]float64
	for c := range channels {
		var counts [256]int
		for at := c * plane; at < len(pixels); at += imageBytes {
			for _, b := range pixels[at : at+plane] {
				counts[b]++
			}
		}
		m.mean[c], m.std[c] = moments(counts)
		unit := m.std[c]
		if unit == 0 { // a set of one colour
			unit = 1
		}
		for b := range 256 {
			table[c][b] = (float64(b) - m.mean[c]) / unit
		}
	}
	newFiller, _ := apoops.Choose(dtype, newFiller[float32], newFiller[float64])
	m.fill = newFiller(&table)
	return m
}

// moments are the mean and the standard deviation of bytes that are counted.
func moments(counts [256]int) (mean, std float64) {
	var n, sum, squares float64
	for b, count := range counts {
		n += float64(count)
		sum += float64(count) * float64(b)
	}
	mean = sum / n
	for b, count := range counts {
		squares += float64(count) * (float64(b) - mean) * (float64(b) - mean)
	}
	return mean, math.Sqrt(squares / n)
}

// Len is the number of images; that of a nil set is 0.
func (m *ColorImages) Len() int {
	if m == nil {
		return 0
	}
	return len(m.labels)
}

// Classes is the number of classes.
func (m *ColorImages) Classes() int { return m.classes }

// Labels are the classes of the images; they must not be changed.
func (m *ColorImages) Labels() []int { return m.labels }

// Pixels are the 3072 bytes of an image: its red, its green and its blue plane,
// each row by row, with i from 0 to Len-1. They must not be changed.
func (m *ColorImages) Pixels(i int) []byte { return m.pixels[i*imageBytes : (i+1)*imageBytes] }

// Normalisation is the mean and the standard deviation of each channel of the
// training set, of bytes 0 to 255.
func (m *ColorImages) Normalisation() (mean, std [3]float64) { return m.norm.mean, m.norm.std }

// Check implements batch.Dataset.
func (m *ColorImages) Check() error {
	if m.Len() == 0 {
		return errors.New("datasets: no images")
	}
	return m.augment.check()
}

// First is the set of the first n images, or of all if there are fewer. It
// shares memory with m, and its pixels are normalised in the same way.
func (m *ColorImages) First(n int) *ColorImages {
	if m == nil {
		return nil
	}
	n = min(max(n, 0), m.Len())
	first := *m
	first.pixels, first.labels = m.pixels[:n*imageBytes], m.labels[:n]
	return &first
}

// After is the set without its first n images. It shares memory with m, like First.
func (m *ColorImages) After(n int) *ColorImages {
	if m == nil {
		return nil
	}
	n = min(max(n, 0), m.Len())
	rest := *m
	rest.pixels, rest.labels = m.pixels[n*imageBytes:], m.labels[n:]
	return &rest
}

// Data has all images as a batch.Data, without augmentation. A set without images has
// the zero Data, whose Check fails.
func (m *ColorImages) Data() batch.Data {
	if m.Len() == 0 {
		return batch.Data{}
	}
	plain := *m
	plain.augment = Augmentation{}
	b, rows := plain.NewBatch(plain.Len()), make([]int, plain.Len())
	for i := range rows {
		rows[i] = i
	}
	plain.Fill(b, rows, batch.Draw{})
	return batch.Data{X: b.X[0], T: b.T[0]}
}

// NewBatch implements batch.Dataset; n is 1 or more.
func (m *ColorImages) NewBatch(n int) graph.Batch {
	return graph.NewBatch(
		tensor.New(tensor.Of(m.norm.dtype), tensor.WithShape(n, channels, side, side)),
		tensor.New(tensor.Of(tensor.Int), tensor.WithShape(n)))
}

// Fill implements batch.Dataset.
func (m *ColorImages) Fill(b graph.Batch, rows []int, d batch.Draw) {
	labels := b.T[0].Ints()
	for i, r := range rows {
		labels[i] = m.labels[r]
	}
	m.norm.fill(b.X[0], m, rows, d)
}

// filler writes rows of a set, normalised, into the inputs of a batch.
type filler func(x *tensor.Dense, m *ColorImages, rows []int, d batch.Draw)

// newFiller is the filler for inputs of type F; table has what each byte of a
// channel becomes.
func newFiller[F apoops.Float](table *[channels][256]float64) filler {
	var rounded [channels][256]F
	for c := range table {
		for b, v := range table[c] {
			rounded[c][b] = F(v)
		}
	}
	return func(x *tensor.Dense, m *ColorImages, rows []int, d batch.Draw) {
		fillImages(apoops.Elements[F](x), m, &rounded, rows, d)
	}
}

func fillImages[F apoops.Float](x []F, m *ColorImages, tables *[channels][256]F, rows []int, d batch.Draw) {
	views := m.augment.views(d)
	for i, r := range rows {
		v := views.at(i)
		image := m.Pixels(r)
		for c := range channels {
			at := i*imageBytes + c*plane
			if v == (view{}) {
				convert(x[at:at+plane], image[c*plane:(c+1)*plane], &tables[c])
			} else {
				convertView(x[at:at+plane], image[c*plane:(c+1)*plane], &tables[c], v)
			}
		}
	}
}

func convert[F apoops.Float](dst []F, src []byte, table *[256]F) {
	for i, b := range src {
		dst[i] = table[b]
	}
}
