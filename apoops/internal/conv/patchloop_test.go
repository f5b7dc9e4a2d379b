package conv

import "testing"

// TestPatchLoopGrows counts the groups of images of 512 channels.
func TestPatchLoopGrows(t *testing.T) {
	c, shape := Geometry{Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}, []int{128, 512, 4, 4}
	for _, x := range []struct{ elements, groups int }{{0, 10}, {1 << 10, 10}, {4608 * 1024, 2}, {1 << 30, 1}} {
		l := NewPatchLoop[float32](c, shape)
		l.Grow(x.elements)
		groups, images := 0, 0
		l.Each(make([]float32, 128*512*16), func(columns []float32) {
			groups++
			images += l.Count
			if len(columns) != l.Rows*l.Count*16 {
				t.Fatalf("%d elements of %d images", len(columns), l.Count)
			}
		})
		if groups != x.groups || images != 128 {
			t.Errorf("%d elements: %d groups of %d images, want %d groups", x.elements, groups, images, x.groups)
		}
	}
}

// TestPatchLoopGrowsFrom has each image be a group where there are few channels.
func TestPatchLoopGrowsFrom(t *testing.T) {
	c := Geometry{Kernel: [2]int{1, 1}}
	for channels, groups := range map[int]int{63: 8, 64: 1} {
		l := NewPatchLoop[float32](c, []int{8, channels, 4, 4})
		l.GrowFrom(64, 1<<30)
		n := 0
		l.Each(make([]float32, 8*channels*16), func([]float32) { n++ })
		if n != groups {
			t.Errorf("%d channels: %d groups", channels, n)
		}
	}
}
