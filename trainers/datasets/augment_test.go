package datasets

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

// numbered is a set of n images whose pixels tell where they are.
func numbered(t *testing.T, n int) *ColorImages {
	t.Helper()
	pixels, labels := make([]byte, n*imageBytes), make([]int, n)
	for i := range pixels {
		pixels[i] = byte(1 + (i%plane*31+i/plane*7)%255)
	}
	for i := range labels {
		labels[i] = i % 10
	}
	train, _ := newColorImages(tensor.Float64, 10, pixels, labels, nil, nil)
	return train
}

// TestAugmentedImages finds each image again among all shifts and mirrorings of
// its original, done pixel by pixel.
func TestAugmentedImages(t *testing.T) {
	const n = 40
	set := numbered(t, n)
	seen := make(map[view]int)
	for name, a := range map[string]Augmentation{"both": CropFlip, "crop": {Pad: 2}, "flip": {Flip: true}} {
		images := set.Augmented(a)
		b, rows := images.NewBatch(n), make([]int, n)
		for i := range rows {
			rows[i] = n - 1 - i
		}
		images.Fill(b, rows, batch.Draw{Seed: 3, Epoch: 1, First: 80})
		for i, r := range rows {
			got := b.X[0].Float64s()[i*imageBytes : (i+1)*imageBytes]
			v, ok := findView(set, r, got)
			switch {
			case !ok:
				t.Fatalf("%s: image %d is no view of its original", name, r)
			case max(v.down, -v.down, v.right, -v.right) > a.Pad || v.mirrored && !a.Flip:
				t.Fatalf("%s: image %d is seen as %+v", name, r, v)
			case b.T[0].Ints()[i] != r%10:
				t.Fatalf("%s: label of image %d is %d", name, r, b.T[0].Ints()[i])
			}
			seen[v]++
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d different views of %d images", len(seen), 3*n)
	}
}

// findView looks for the view that shows image r as got.
func findView(set *ColorImages, r int, got []float64) (view, bool) {
	for down := -4; down <= 4; down++ {
		for right := -4; right <= 4; right++ {
			for _, mirrored := range []bool{false, true} {
				v := view{down, right, mirrored}
				if slices.Equal(got, slowView(set, r, v)) {
					return v, true
				}
			}
		}
	}
	return view{}, false
}

// slowView is the naive twin of convertView.
func slowView(set *ColorImages, r int, v view) []float64 {
	mean, std := set.Normalisation()
	out := make([]float64, 0, imageBytes)
	for c := range channels {
		for y := range side {
			for x := range side {
				if v.mirrored {
					x = side - 1 - x
				}
				b := byte(0)
				if fy, fx := y+v.down, x+v.right; fy >= 0 && fy < side && fx >= 0 && fx < side {
					b = set.Pixels(r)[c*plane+fy*side+fx]
				}
				out = append(out, (float64(b)-mean[c])/std[c])
			}
		}
	}
	return out
}

// TestViewsAreUniform counts the shifts and mirrorings of many draws, and looks
// for connections between one image and the next.
func TestViewsAreUniform(t *testing.T) {
	const n = 81 * 400
	counts := make(map[[2]int]int)
	mirrored, alike := 0, 0
	var before view
	for epoch := range 4 {
		views := CropFlip.views(batch.Draw{Seed: 1, Epoch: epoch})
		for i := range n / 4 {
			v := views.at(i)
			counts[[2]int{v.down, v.right}]++
			if v.mirrored {
				mirrored++
			}
			if v == before {
				alike++
			}
			before = v
		}
	}
	chi := 0.0 // χ² of 80 degrees of freedom: 80 ± 12.6
	for _, c := range counts {
		chi += float64(c-400) * float64(c-400) / 400
	}
	if len(counts) != 81 || chi < 40 || chi > 130 {
		t.Errorf("%d shifts, χ² %.1f", len(counts), chi)
	}
	if got := float64(mirrored) / n; math.Abs(got-0.5) > 0.011 { // 4 standard deviations
		t.Errorf("%v of the images are mirrored", got)
	}
	if got := float64(alike) / n * 162; got < 0.7 || got > 1.3 {
		t.Errorf("neighbours have the same view %.2f times as often as by chance", got)
	}
}

// TestAugmentationDependsOnDrawAlone makes the same rows in other batches.
func TestAugmentationDependsOnDrawAlone(t *testing.T) {
	images := numbered(t, 8).Augmented(CropFlip)
	fill := func(n int, d batch.Draw) []float64 {
		b, rows := images.NewBatch(n), make([]int, n)
		for i := range rows {
			rows[i] = (d.First + i) % 8
		}
		images.Fill(b, rows, d)
		return b.X[0].Float64s()
	}
	whole := fill(8, batch.Draw{Seed: 1, Epoch: 2})
	parts := append(fill(4, batch.Draw{Seed: 1, Epoch: 2}), fill(4, batch.Draw{Seed: 1, Epoch: 2, First: 4})...)
	if !slices.Equal(whole, parts) {
		t.Error("two batches of four differ from one of eight")
	}
	for _, d := range []batch.Draw{{Seed: 2, Epoch: 2}, {Seed: 1, Epoch: 3}, {Seed: 1, Epoch: 2, First: 8}} {
		if slices.Equal(whole, fill(8, d)) {
			t.Errorf("the images of %+v are the same", d)
		}
	}
	for _, pad := range []int{-1, 33} {
		errortest.Want(t, images.Augmented(Augmentation{Pad: pad}).Check(), "Pad")
	}
	if err := images.Check(); err != nil {
		t.Error(err)
	}
}

func BenchmarkAugmentedBatch(b *testing.B) {
	pixels, labels := make([]byte, 1000*imageBytes), make([]int, 1000)
	set, _ := newColorImages(tensor.Float32, 10, pixels, labels, nil, nil)
	batches, err := batch.New(set.Augmented(CropFlip), 128, 1)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		batches.At(i)
	}
}
