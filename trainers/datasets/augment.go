package datasets

import (
	"math/rand/v2"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// Augmentation changes the images of a training set at random each time a mini-batch
// is made. The changes of an image depend only on its batch.Draw: the seed, the epoch
// and the place of the image in the epoch.
type Augmentation struct {
	// Pad is the number of black pixels (byte 0) that are added on each side of an
	// image before it is cropped to its old size at a random place. 0 is no cropping.
	Pad int
	// Flip mirrors an image from left to right, with probability ½.
	Flip bool
}

// CropFlip is the usual augmentation of CIFAR: cut out after padding by 4, and
// mirror.
var CropFlip = Augmentation{Pad: 4, Flip: true}

// Augmented is the set with random changes. A wrong Pad is an error of Check.
func (m *ColorImages) Augmented(a Augmentation) *ColorImages {
	if m == nil {
		return nil
	}
	augmented := *m
	augmented.augment = a
	return &augmented
}

func (a Augmentation) check() error {
	if a.Pad < 0 || a.Pad > side {
		return errors.Errorf("datasets: augmentation with Pad %d, want 0 to %d", a.Pad, side)
	}
	return nil
}

// view is a crop of an image: its pixel (y, x) is pixel (y+down, x+right) of the image,
// black outside of it. Then it may be mirrored.
type view struct {
	down, right int
	mirrored    bool
}

// views draws the views of a batch's images.
type views struct {
	a      Augmentation
	d      batch.Draw
	source rand.PCG
	rng    *rand.Rand // nil where nothing is random
}

func (a Augmentation) views(d batch.Draw) *views {
	v := &views{a: a, d: d}
	if a != (Augmentation{}) {
		v.rng = rand.New(&v.source)
	}
	return v
}

// at is the view of the batch's i-th image.
func (v *views) at(i int) view {
	if v.rng == nil {
		return view{}
	}
	v.source.Seed(v.d.Seed, mix(mix(uint64(v.d.Epoch))+uint64(v.d.First+i)))
	var w view
	if v.a.Pad > 0 {
		w.down, w.right = v.rng.IntN(2*v.a.Pad+1)-v.a.Pad, v.rng.IntN(2*v.a.Pad+1)-v.a.Pad
	}
	if v.a.Flip {
		w.mirrored = v.rng.IntN(2) == 1
	}
	return w
}

// mix scatters numbers that are close to each other (the finaliser of
// SplitMix64), so that neighbours have unrelated random numbers.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// convertView converts a view of a plane.
func convertView[F apoops.Float](dst []F, src []byte, table *[256]F, v view) {
	lo, hi := max(0, -v.right), min(side, side-v.right) // the columns that show the image
	for y := range side {
		row := dst[y*side : (y+1)*side]
		from := y + v.down
		if from < 0 || from >= side {
			fillBlack(row, table)
			continue
		}
		fillBlack(row[:lo], table)
		convert(row[lo:hi], src[from*side+lo+v.right:from*side+hi+v.right], table)
		fillBlack(row[hi:], table)
		if v.mirrored {
			mirror(row)
		}
	}
}

func fillBlack[F apoops.Float](row []F, table *[256]F) {
	for i := range row {
		row[i] = table[0]
	}
}

func mirror[F apoops.Float](row []F) {
	for i, j := 0, len(row)-1; i < j; i, j = i+1, j-1 {
		row[i], row[j] = row[j], row[i]
	}
}
