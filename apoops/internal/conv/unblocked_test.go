package conv

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// TestUnblocked: images in blocks give the bits of plain ones, where an engine takes plain ones alone and
// where it takes blocks.
func TestUnblocked(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	g := Geometry{Kernel: [2]int{3, 3}, Stride: [2]int{2, 1}, Pad: [2]int{1, 1}, Activation: vmath.ReLU}
	x, outputs := []int{3, 32, 7, 6}, 48
	oh, ow := g.OutSize(x[2], x[3])
	from, w := random[float32](rng, size(x)), random[float32](rng, (32*9+1)*outputs)
	dy := random[float32](rng, 3*outputs*oh*ow)
	for _, blocked := range [][2]bool{{true, false}, {false, true}, {true, true}} {
		b := g
		b.BlockedX, b.BlockedY = blocked[0], blocked[1]
		ix := images{n: 3, c: 32, positions: 42, blocked: b.BlockedX}
		iy := images{n: 3, c: outputs, positions: oh * ow, blocked: b.BlockedY}
		for _, pair := range [][2]Engine[float32]{
			{newIm2col[float32](g, x, outputs), newUnblocked[float32](b, x, outputs)},
			{New[float32](g, x, outputs), New[float32](b, x, outputs)},
		} {
			y, dx, dw := make([]float32, len(dy)), make([]float32, len(from)), make([]float32, len(w))
			y2, dx2, dw2 := slices.Clone(y), slices.Clone(dx), slices.Clone(dw)
			plain, blocks := pair[0], pair[1]
			for _, err := range []error{
				plain.Forward(from, w, y), plain.GradX(dy, y, w, dx), plain.GradW(from, dy, y, dw),
				blocks.Forward(inBlocks(ix, from), w, y2), blocks.GradX(inBlocks(iy, dy), y2, w, dx2),
				blocks.GradW(inBlocks(ix, from), inBlocks(iy, dy), y2, dw2),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(y2, inBlocks(iy, y)) || !slices.Equal(dx2, inBlocks(ix, dx)) || !slices.Equal(dw2, dw) {
				t.Fatalf("%T, blocks %v: other bits than of plain images", blocks, blocked)
			}
		}
	}
}

func inBlocks(m images, x []float32) []float32 {
	if !m.blocked {
		return x
	}
	to := make([]float32, len(x))
	m.each(func(plain, block int) { to[block] = x[plain] })
	return to
}
