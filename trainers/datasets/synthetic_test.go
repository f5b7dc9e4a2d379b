package datasets

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

func TestSynthetic(t *testing.T) {
	a, test, err := Synthetic(3, tensor.Float32, 4, 21, 8)
	if err != nil {
		t.Fatal(err)
	}
	if a.Len() != 21 || test.Len() != 8 || a.Classes() != 4 || a.Check() != nil {
		t.Errorf("%d and %d images of %d classes: %v", a.Len(), test.Len(), a.Classes(), a.Check())
	}
	b, _, err := Synthetic(3, tensor.Float32, 4, 21, 8)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Pixels(20), b.Pixels(20)) || !slices.Equal(a.Labels(), b.Labels()) {
		t.Error("the same seed gives other images")
	}
	if c, _, err := Synthetic(4, tensor.Float32, 4, 21, 8); err != nil || bytes.Equal(a.Pixels(0), c.Pixels(0)) {
		t.Errorf("another seed gives the same images: %v", err)
	}
	// An image is nearer to others of its class than to those of another.
	distance := func(i, j int) (sum float64) {
		for k, p := range a.Pixels(i) {
			d := float64(p) - float64(test.Pixels(j)[k])
			sum += d * d
		}
		return sum
	}
	for i := range 4 {
		for j := range 4 {
			if i != j && distance(i, j) < distance(i, i) {
				t.Errorf("image %d is nearer to class %d", i, j)
			}
		}
	}
	if _, _, err := Synthetic(1, tensor.Float32, 0, 1, 1); err == nil {
		t.Error("no classes: no error")
	}
	if _, _, err := Synthetic(1, tensor.Int, 2, 1, 1); err == nil {
		t.Error("images of integers: no error")
	}
}

// TestSyntheticTooMany has sizes whose images would not fit in memory.
func TestSyntheticTooMany(t *testing.T) {
	for _, n := range [][3]int{{2, 1 << 40, 1}, {2, 1, 1 << 40}, {1 << 40, 1, 1}, {2, math.MaxInt, math.MaxInt}, {2, -1, 1}, {2, 1, -1}, {-1, 1, 1}} {
		_, _, err := Synthetic(1, tensor.Float32, n[0], n[1], n[2])
		errortest.Want(t, err, "synthetic images", strconv.Itoa(n[0]), strconv.Itoa(n[1]), strconv.Itoa(n[2]))
	}
}

// TestNoImages has sets without an image, which users make with First and After.
func TestNoImages(t *testing.T) {
	some, _, err := Synthetic(1, tensor.Float64, 3, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	var none *ColorImages
	for _, m := range []*ColorImages{none, none.First(3), none.After(3), none.Augmented(CropFlip), some.First(0), some.First(-1), some.After(10), new(ColorImages)} {
		if m.Len() != 0 || m.Check() == nil || m.Data().Check() == nil {
			t.Errorf("%d images, %v", m.Len(), m.Check())
		}
		if _, err := batch.New(m, 1, 1); err == nil {
			t.Error("batches of no images")
		}
	}
	if err := some.Augmented(Augmentation{Pad: -1}).Check(); err == nil {
		t.Error("padding by -1")
	}
}

func TestAfterIsTheRest(t *testing.T) {
	all, _, err := Synthetic(1, tensor.Float64, 3, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	rest := all.After(7)
	if rest.Len() != 3 || !bytes.Equal(rest.Pixels(0), all.Pixels(7)) || rest.Labels()[2] != all.Labels()[9] {
		t.Errorf("%d images", rest.Len())
	}
	if all.After(-1).Len() != 10 || all.After(11).Len() != 0 {
		t.Error("numbers out of range")
	}
}
