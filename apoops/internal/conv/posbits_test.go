package conv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// TestBitsPositions: dW is that of float32 on the same numbers, with the same bits in all
// layouts and when it is computed again.
func TestBitsPositions(t *testing.T) {
	if err := dnn.BFloat16(); err != nil {
		t.Skip("no bfloat16 on this machine: ", err)
	}
	rng := rand.New(rand.NewPCG(6, 2))
	cases := append([]convtest.Case{
		convtest.Even("several slabs", []int{3, 512, 2, 3}, 32, 3, 1, 1, 1),
		convtest.Even("blocks, stride 2", []int{5, 32, 9, 8}, 48, 3, 2, 1, 1),
		convtest.Even("stride 3", []int{4, 16, 8, 7}, 16, 3, 3, 1, 1),
		convtest.Even("elements that see no image", []int{3, 16, 1, 1}, 16, 3, 1, 1, 1),
	}, engineCases...)
	for _, c := range cases {
		for _, act := range []vmath.Activation{vmath.Identity, vmath.ReLU} {
			g, s := geometry(c), c.Shape
			g.Activation, g.NoBias = act, act == vmath.ReLU
			plain := newIm2col[float32](g, s, c.Outputs)
			x, fx := rounded(rng, size(s))
			dy, fdy := rounded(rng, s[0]*c.Outputs*plain.Positions)
			y, fy := rounded(rng, len(dy))
			want := make([]float32, (plain.Rows+g.bias())*c.Outputs)
			must(t, plain.GradW(fx, fdy, fy, want))
			if act == vmath.Identity {
				y = nil
			}
			var first []uint16
			for layout := range 4 {
				g.BlockedX, g.BlockedY = layout&1 != 0, layout&2 != 0
				if g.BlockedX && s[1]%dnn.Block != 0 || g.BlockedY && c.Outputs%dnn.Block != 0 {
					continue
				}
				ix := images{n: s[0], c: s[1], positions: s[2] * s[3], blocked: g.BlockedX}
				iy := images{n: s[0], c: c.Outputs, positions: plain.Positions, blocked: g.BlockedY}
				one, err := openOneDNN(g, s, c.Outputs, dnn.Activation[uint16]{})
				must(t, err)
				k, err := newBitsPositions(one, g, s, c.Outputs)
				must(t, err)
				for range 2 {
					dw := slices.Repeat([]uint16{7}, len(want))
					must(t, k.GradW(bitsInBlocks(ix, x), bitsInBlocks(iy, dy), bitsInBlocks(iy, y), dw))
					nearest(t, fmt.Sprintf("%s, %v", c.Name, g), dw, want)
					if first == nil {
						first = dw
					}
					if !slices.Equal(dw, first) {
						t.Fatalf("%s, %v: other bits than in the first run", c.Name, g)
					}
				}
			}
		}
	}
}

// TestBitsPositionsAreChosen for small images of many channels, and for no others.
func TestBitsPositionsAreChosen(t *testing.T) {
	if err := dnn.BFloat16(); err != nil {
		t.Skip("no bfloat16 on this machine: ", err)
	}
	for _, c := range []struct {
		convtest.Case
		chosen bool
	}{
		{convtest.Even("small images", []int{4, 512, 4, 4}, 512, 3, 1, 1, 1), true},
		{convtest.Even("stride 2", []int{4, 64, 16, 16}, 128, 3, 2, 1, 1), true},
		{convtest.Even("large images", []int{4, 64, 32, 32}, 128, 3, 2, 1, 1), false},
		{convtest.Even("few channels", []int{4, 16, 16, 16}, 32, 3, 2, 1, 1), false},
		{convtest.Even("kernel 1×1", []int{4, 64, 8, 8}, 128, 1, 2, 0, 1), false},
	} {
		var b Bits
		if !b.Compile(geometry(c.Case), c.Shape, c.Outputs) {
			t.Fatalf("%s: refused", c.Name)
		}
		if _, ok := b.conv.(*bitsPositions); ok != c.chosen {
			t.Errorf("%s: computed by %T", c.Name, b.conv)
		}
	}
}
