package conv

import "github.com/apo-gorgonia/apo/apoops/internal/simd"

// patches is the layout of the patches of a convolution of images c×h×w: a
// matrix of rows (channel, row and column within the patch) by positions oh×ow
// for each image.
type patches struct {
	Geometry
	c, h, w    int
	oh, ow     int
	Rows       int  // C·kh·kw
	Positions  int  // OH·OW
	imageSize  int  // C·H·W
	sameLayout bool // the patches are the image itself
}

func newPatches(c Geometry, x []int) patches {
	c = c.Filled()
	p := patches{Geometry: c, c: x[1], h: x[2], w: x[3], imageSize: x[1] * x[2] * x[3]}
	p.oh, p.ow = c.OutSize(p.h, p.w)
	p.Rows, p.Positions = p.c*c.Kernel[0]*c.Kernel[1], p.oh*p.ow
	one := [2]int{1, 1}
	p.sameLayout = c.Kernel == one && c.Stride == one && c.Pad == [2]int{}
	return p
}

// groupElements bounds the elements of the patches of a group of images.
const groupElements = 1 << 20

// groupOf is the number of images, of n, in a group of about the given number of
// patches.
func (p *patches) groupOf(n, columns int) int {
	g := max(1, columns/p.Positions)
	g = min(g, max(1, groupElements/(p.Rows*p.Positions)))
	return min(g, n)
}

// split is the channel and the offset of the first element, rows and columns,
// that patch row r is of.
func (p *patches) split(r int) (channel, top, left int) {
	kw, kh := p.Kernel[1], p.Kernel[0]
	return r / (kh * kw), r/kw%kh*p.Dilation[0] - p.Pad[0], r%kw*p.Dilation[1] - p.Pad[1]
}

// inside is the range of positions along an axis of n elements whose element at
// offset lies within the image.
func (p *patches) inside(axis, offset, n, out int) (lo, hi int) {
	s := p.Stride[axis]
	if offset < 0 {
		lo = (-offset + s - 1) / s
	}
	if n > offset {
		hi = (n - offset + s - 1) / s
	}
	hi = min(hi, out)
	return min(lo, hi), hi
}

// patchRow is a row of an image's patches: positions [iLo, iHi)×[jLo, jHi) have elements of the
// image's channel, the first of them that at from; the others are 0.
type patchRow struct{ channel, iLo, iHi, jLo, jHi, from int }

func (p *patches) row(r int) patchRow {
	channel, top, left := p.split(r)
	x := patchRow{channel: channel}
	x.iLo, x.iHi = p.inside(0, top, p.h, p.oh)
	x.jLo, x.jHi = p.inside(1, left, p.w, p.ow)
	if x.iLo == x.iHi || x.jLo == x.jHi {
		x.iHi, x.jHi = x.iLo, x.jLo
	}
	x.from = (x.iLo*p.Stride[0]+top)*p.w + x.jLo*p.Stride[1] + left
	return x
}

// shifted reports whether a row of patches is a channel moved by some elements, but for
// those that lie outside of the image.
func (p *patches) shifted() bool { return p.Stride == [2]int{1, 1} && p.ow == p.w }

// clearOutside sets the positions outside of the image to 0.
func clearOutside[T Float](p *patches, x patchRow, dst []T) {
	clear(dst[:x.iLo*p.ow])
	clear(dst[x.iHi*p.ow : p.Positions])
	if x.jLo == 0 && x.jHi == p.ow {
		return
	}
	for i := x.iLo; i < x.iHi; i++ {
		row := dst[i*p.ow : (i+1)*p.ow]
		for j := range x.jLo {
			row[j] = 0
		}
		for j := x.jHi; j < len(row); j++ {
			row[j] = 0
		}
	}
}

// gather copies a row of an image's patches, positions elements, to dst.
func gather[T Float](p *patches, dst, image []T, x patchRow) {
	if x.iLo == x.iHi {
		clear(dst[:p.Positions])
		return
	}
	from := image[x.channel*p.h*p.w:][:p.h*p.w][x.from:]
	switch s := p.Stride[1]; {
	case p.shifted():
		copy(dst[x.iLo*p.ow+x.jLo:(x.iHi-1)*p.ow+x.jHi], from)
	case s == 1:
		for i := x.iLo; i < x.iHi; i++ {
			copy(dst[i*p.ow+x.jLo:i*p.ow+x.jHi], from[(i-x.iLo)*p.Stride[0]*p.w:])
		}
	default:
		for i := x.iLo; i < x.iHi; i++ {
			row, line := dst[i*p.ow+x.jLo:i*p.ow+x.jHi], from[(i-x.iLo)*p.Stride[0]*p.w:]
			for j := range row {
				row[j] = line[j*s]
			}
		}
	}
	clearOutside(p, x, dst)
}

// gatherAll copies the rows [lo, hi) of the patches of the first count images to
// dst, rows×(count·positions).
func gatherAll[T Float](p *patches, dst, images []T, count, lo, hi int) {
	width := count * p.Positions
	for r := lo; r < hi; r++ {
		x := p.row(r)
		for i := range count {
			gather(p, dst[r*width+i*p.Positions:][:p.Positions], images[i*p.imageSize:(i+1)*p.imageSize], x)
		}
	}
}

// scatter adds src, a row of an image's patches, to the elements of the image that it was
// gathered from. It may set what lies outside of the image to 0.
func scatter[T Float](p *patches, image, src []T, x patchRow) {
	if x.iLo == x.iHi {
		return
	}
	to := image[x.channel*p.h*p.w:][:p.h*p.w][x.from:]
	if p.shifted() {
		clearOutside(p, x, src)
		src = src[x.iLo*p.ow+x.jLo : (x.iHi-1)*p.ow+x.jHi]
		simd.Add(to[:len(src)], to, src)
		return
	}
	s := p.Stride[1]
	for i := x.iLo; i < x.iHi; i++ {
		row, line := src[i*p.ow+x.jLo:i*p.ow+x.jHi], to[(i-x.iLo)*p.Stride[0]*p.w:]
		if s == 1 {
			line = line[:len(row)]
			for j, v := range row {
				line[j] += v
			}
			continue
		}
		for j, v := range row {
			line[j*s] += v
		}
	}
}

// Patches reads single patches of images.
type Patches struct{ patches }

// NewPatches is for images of shape x, N×C×H×W.
func NewPatches(c Geometry, x []int) *Patches { return &Patches{newPatches(c, x)} }

// Patch copies the patch at a position of image n to dst, Rows elements.
func Patch[T Float](p *Patches, dst, images []T, n, position int) {
	image := images[n*p.imageSize : (n+1)*p.imageSize]
	i, j := position/p.ow*p.Stride[0]-p.Pad[0], position%p.ow*p.Stride[1]-p.Pad[1]
	kh, kw := p.Kernel[0], p.Kernel[1]
	clear(dst[:p.Rows])
	for r := range kh {
		y := i + r*p.Dilation[0]
		if y < 0 || y >= p.h {
			continue
		}
		for s := range kw {
			x := j + s*p.Dilation[1]
			if x < 0 || x >= p.w {
				continue
			}
			for channel := range p.c {
				dst[(channel*kh+r)*kw+s] = image[(channel*p.h+y)*p.w+x]
			}
		}
	}
}
