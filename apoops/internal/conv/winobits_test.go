package conv

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// TestWinogradBits: on the bits of bfloat16 results are those of float32 on the same
// numbers, rounded, in every layout.
func TestWinogradBits(t *testing.T) {
	if !winoVectors() {
		t.Skip("no AVX-512")
	}
	rng := rand.New(rand.NewPCG(9, 1))
	for _, c := range []convtest.Case{
		convtest.Even("whole tiles", []int{7, 16, 8, 8}, 32, 3, 1, 1, 1),
		convtest.Even("parts of tiles", []int{5, 48, 9, 6}, 16, 3, 1, 1, 1),
		convtest.Even("no padding", []int{2, 32, 11, 18}, 32, 3, 1, 0, 1),
	} {
		for _, act := range []vmath.Activation{vmath.Identity, vmath.ReLU, vmath.Rectify} {
			g, s := geometry(c), c.Shape
			g.Activation, g.NoBias = act, act == vmath.ReLU
			oh, ow := g.OutSize(s[2], s[3])
			x, fx := rounded(rng, size(s))
			w, fw := rounded(rng, (s[1]*9+g.bias())*c.Outputs)
			dy, fdy := rounded(rng, s[0]*c.Outputs*oh*ow)
			fy, fdx, fdw := make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))
			wantY, wantDX, wantDW, y := make([]uint16, len(dy)), make([]uint16, len(x)), make([]uint16, len(w)), make([]uint16, len(dy))
			single := newWinoBlocks(g, s, c.Outputs)
			must(t, single.Forward(fx, fw, fy))
			half.Pack(half.BFloat16, wantY, fy)
			half.Expand(half.BFloat16, fy, wantY)
			must(t, single.GradX(fdy, fy, fw, fdx))
			half.Pack(half.BFloat16, wantDX, fdx)
			must(t, single.GradW(fx, fdy, fy, fdw))
			half.Pack(half.BFloat16, wantDW, fdw)
			for layout := range 4 {
				g.BlockedX, g.BlockedY = layout&1 != 0, layout&2 != 0
				ix := images{n: s[0], c: s[1], positions: s[2] * s[3], blocked: g.BlockedX}
				iy := images{n: s[0], c: c.Outputs, positions: oh * ow, blocked: g.BlockedY}
				var b Bits
				if !b.Compile(g, s, c.Outputs) {
					t.Fatal("refused")
				}
				if _, ok := b.conv.(*winoBits); !ok {
					t.Fatalf("%s: computed by %T", c.Name, b.conv)
				}
				dx, dw := make([]uint16, len(x)), make([]uint16, len(w))
				must(t, b.Forward(bitsInBlocks(ix, x), w, y))
				must(t, b.GradX(bitsInBlocks(iy, dy), y, w, dx))
				must(t, b.GradW(bitsInBlocks(ix, x), bitsInBlocks(iy, dy), y, dw))
				if !slices.Equal(y, bitsInBlocks(iy, wantY)) || !slices.Equal(dx, bitsInBlocks(ix, wantDX)) || !slices.Equal(dw, wantDW) {
					t.Fatalf("%s, %v, layout %d: other bits than those of float32, rounded", c.Name, act, layout)
				}
			}
		}
	}
}

func bitsInBlocks(m images, x []uint16) []uint16 {
	if !m.blocked || x == nil {
		return x
	}
	to := make([]uint16, len(x))
	m.each(func(plain, block int) { to[block] = x[plain] })
	return to
}
