package conv

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
)

// TestIm2colGroups checks that images do not depend on how many are in a group:
// enough images for several groups in every pass.
func TestIm2colGroups(t *testing.T) {
	for _, c := range []convtest.Case{
		convtest.Even("small images", []int{70, 3, 6, 6}, 5, 3, 1, 1, 1),
		convtest.Even("1x1", []int{300, 4, 4, 4}, 3, 1, 1, 0, 1),
		convtest.Even("1x1 of large images", []int{5, 4, 48, 48}, 3, 1, 1, 0, 1),
		convtest.Even("large images", []int{5, 2, 50, 44}, 3, 3, 1, 1, 1),
		convtest.Even("many rows", []int{9, 128, 16, 16}, 2, 5, 1, 2, 1),
	} {
		rng := rand.New(rand.NewPCG(7, 1))
		s := c.Shape
		rows := s[1] * c.Kernel[0] * c.Kernel[1]
		x, w := random[float64](rng, size(s)), random[float64](rng, (rows+1)*c.Outputs)
		k := newIm2col[float64](geometry(c), s, c.Outputs)
		y := make([]float64, s[0]*c.Outputs*k.Positions)
		dz := random[float64](rng, len(y))
		dx, dw := make([]float64, len(x)), make([]float64, len(w))
		for range 2 { // the second time in memory that is not zero
			if k.Forward(x, w, y) != nil || k.GradX(dz, nil, w, dx) != nil || k.GradW(x, dz, nil, dw) != nil {
				t.Fatal("an error")
			}
		}
		sum := make([]float64, len(w))
		one := newIm2col[float64](geometry(c), []int{1, s[1], s[2], s[3]}, c.Outputs)
		in, out := one.imageSize, c.Outputs*one.Positions
		gotY, gotX, gotW := make([]float64, out), make([]float64, in), make([]float64, len(w))
		for n := range s[0] {
			image, dout := x[n*in:(n+1)*in], dz[n*out:(n+1)*out]
			if one.Forward(image, w, gotY) != nil || one.GradX(dout, nil, w, gotX) != nil || one.GradW(image, dout, nil, gotW) != nil {
				t.Fatal("an error")
			}
			alike(t, c.Name, y[n*out:(n+1)*out], gotY, 1e-13)
			alike(t, c.Name+", dx", dx[n*in:(n+1)*in], gotX, 1e-13)
			for i, v := range gotW {
				sum[i] += v
			}
		}
		alike(t, c.Name+", dW", dw, sum, 1e-13)
		alike(t, c.Name+" against the definition", y, c.Direct(x, w, true, func(v float64) float64 { return v }), 1e-12)
	}
}

// TestGradientIsAdjoint compares dx and dW of groups with the definition:
// <dz, conv(x, W)> is linear in each.
func TestGradientIsAdjoint(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	s, outputs := []int{40, 3, 9, 7}, 4
	for _, c := range []convtest.Case{convtest.Even("", s, outputs, 3, 1, 1, 1), convtest.Even("", s, outputs, 5, 2, 2, 1), convtest.Even("", s, outputs, 3, 1, 2, 2)} {
		g := geometry(c)
		g.NoBias = true
		k := newIm2col[float64](g, s, outputs)
		x, w := random[float64](rng, size(s)), random[float64](rng, k.Rows*outputs)
		dx, dw := make([]float64, len(x)), make([]float64, len(w))
		dz := random[float64](rng, s[0]*outputs*k.Positions)
		if k.GradX(dz, nil, w, dx) != nil || k.GradW(x, dz, nil, dw) != nil {
			t.Fatal("an error")
		}
		identity := func(v float64) float64 { return v }
		inner := func(a, b []float64) (sum float64) {
			for i, v := range a {
				sum += v * b[i]
			}
			return sum
		}
		u, v := random[float64](rng, len(x)), random[float64](rng, len(w))
		alike(t, "dx", []float64{inner(dx, u)}, []float64{inner(dz, c.Direct(u, w, false, identity))}, 1e-11)
		alike(t, "dW", []float64{inner(dw, v)}, []float64{inner(dz, c.Direct(x, v, false, identity))}, 1e-11)
	}
}

// TestPatchesByDefinition compares gather and scatter with their definition, bit for bit,
// for random kernels, strides, margins and dilations.
func TestPatchesByDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	for range 400 {
		g := Geometry{}
		for i := range 2 {
			g.Kernel[i], g.Stride[i], g.Pad[i], g.Dilation[i] = 1+rng.IntN(5), 1+rng.IntN(2), rng.IntN(4), 1+rng.IntN(2)
		}
		shape := []int{1, 2, 1 + rng.IntN(12), 1 + rng.IntN(12)}
		if oh, ow := g.OutSize(shape[2], shape[3]); oh < 1 || ow < 1 {
			continue
		}
		p := newPatches(g, shape)
		image, sums := random[float32](rng, p.imageSize), random[float32](rng, p.imageSize)
		for r := range p.Rows {
			channel, top, left := p.split(r)
			got, want, added := random[float32](rng, p.Positions), make([]float32, p.Positions), append([]float32(nil), sums...)
			values := append([]float32(nil), got...)
			for i := range p.oh {
				for j := range p.ow {
					y, x := i*g.Stride[0]+top, j*g.Stride[1]+left
					if y >= 0 && y < p.h && x >= 0 && x < p.w {
						at := (channel*p.h+y)*p.w + x
						want[i*p.ow+j] = image[at]
						added[at] += values[i*p.ow+j]
					}
				}
			}
			gather(&p, got, image, p.row(r))
			if !slices.Equal(got, want) {
				t.Fatalf("%v of %v: row %d is %v, want %v", g, shape, r, got, want)
			}
			got = append([]float32(nil), sums...)
			if scatter(&p, got, values, p.row(r)); !slices.Equal(got, added) {
				t.Fatalf("%v of %v: row %d added is %v, want %v", g, shape, r, got, added)
			}
		}
	}
}
