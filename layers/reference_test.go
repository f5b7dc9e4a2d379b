package layers

import (
	"math"

	"github.com/apo-gorgonia/apo/graph"
)

// pictures are images n×c×h×w of the tests' own arithmetic.
type pictures struct {
	n, c, h, w int
	v          []float64
}

func newPictures(n, c, h, w int) pictures {
	return pictures{n, c, h, w, make([]float64, n*c*h*w)}
}

func (p pictures) at(n, c, i, j int) *float64 { return &p.v[((n*p.c+c)*p.h+i)*p.w+j] }

// each calls f for every element.
func (p pictures) each(f func(v *float64, n, c, i, j int)) {
	for n := range p.n {
		for c := range p.c {
			for i := range p.h {
				for j := range p.w {
					f(p.at(n, c, i, j), n, c, i, j)
				}
			}
		}
	}
}

// conv is a convolution with square settings, by its definition.
func (p pictures) conv(w []float64, out, kernel, stride, pad, dilation int, bias bool) pictures {
	size := func(n int) int { return (n+2*pad-dilation*(kernel-1)-1)/stride + 1 }
	y := newPictures(p.n, out, size(p.h), size(p.w))
	y.each(func(v *float64, n, o, i, j int) {
		for c := range p.c {
			for r := range kernel {
				for s := range kernel {
					row, col := i*stride+r*dilation-pad, j*stride+s*dilation-pad
					if row >= 0 && row < p.h && col >= 0 && col < p.w {
						*v += *p.at(n, c, row, col) * w[((c*kernel+r)*kernel+s)*out+o]
					}
				}
			}
		}
		if bias {
			*v += w[p.c*kernel*kernel*out+o]
		}
	})
	return y
}

// moments are the mean and the variance of each channel, the latter dividing by
// the number of values less so many.
func (p pictures) moments(less float64) (mean, variance []float64) {
	mean, variance = make([]float64, p.c), make([]float64, p.c)
	m := float64(p.n * p.h * p.w)
	p.each(func(v *float64, _, c, _, _ int) { mean[c] += *v / m })
	p.each(func(v *float64, _, c, _, _ int) { variance[c] += (*v - mean[c]) * (*v - mean[c]) / (m - less) })
	return mean, variance
}

func (p pictures) norm(scale, shift, mean, variance []float64) pictures {
	y := newPictures(p.n, p.c, p.h, p.w)
	y.each(func(v *float64, n, c, i, j int) {
		*v = scale[c]*(*p.at(n, c, i, j)-mean[c])/math.Sqrt(variance[c]+1e-5) + shift[c]
	})
	return y
}

func (p pictures) relu() pictures {
	y := newPictures(p.n, p.c, p.h, p.w)
	y.each(func(v *float64, n, c, i, j int) { *v = math.Max(*p.at(n, c, i, j), 0) })
	return y
}

func (p pictures) plus(q pictures) pictures {
	y := newPictures(p.n, p.c, p.h, p.w)
	y.each(func(v *float64, n, c, i, j int) { *v = *p.at(n, c, i, j) + *q.at(n, c, i, j) })
	return y
}

func (p pictures) subsample(stride, channels int) pictures {
	y := newPictures(p.n, channels, (p.h+stride-1)/stride, (p.w+stride-1)/stride)
	y.each(func(v *float64, n, c, i, j int) {
		if c < p.c {
			*v = *p.at(n, c, i*stride, j*stride)
		}
	})
	return y
}

func (p pictures) maxPool() pictures {
	y := newPictures(p.n, p.c, p.h/2, p.w/2)
	y.each(func(v *float64, n, c, i, j int) {
		*v = math.Max(math.Max(*p.at(n, c, 2*i, 2*j), *p.at(n, c, 2*i, 2*j+1)), math.Max(*p.at(n, c, 2*i+1, 2*j), *p.at(n, c, 2*i+1, 2*j+1)))
	})
	return y
}

// globalMean has images of one pixel.
func (p pictures) globalMean() pictures {
	y := newPictures(p.n, p.c, 1, 1)
	p.each(func(v *float64, n, c, _, _ int) { *y.at(n, c, 0, 0) += *v / float64(p.h*p.w) })
	return y
}

// dense is a fully connected layer with bias on all of an image.
func (p pictures) dense(w []float64, out int) pictures {
	q := pictures{p.n, p.c * p.h * p.w, 1, 1, p.v}
	return q.conv(w, out, 1, 1, 0, 1, true)
}

// reference computes residual nets with the weights of a model.
type reference struct {
	weights  map[string][]float64
	training bool
}

func newReference(params []*graph.Param, training bool) reference {
	r := reference{map[string][]float64{}, training}
	for _, p := range params {
		r.weights[p.Name] = p.Value.Float64s()
	}
	return r
}

// norm is the normalisation of that name.
func (r reference) norm(name string, x pictures) pictures {
	mean, variance := r.weights[name+"/mean"], r.weights[name+"/variance"]
	if r.training {
		mean, variance = x.moments(0)
	}
	return x.norm(r.weights[name+"/scale"], r.weights[name+"/shift"], mean, variance)
}

// conv3 is a padded 3×3 convolution without bias.
func (r reference) conv3(name string, x pictures, out, stride int) pictures {
	return x.conv(r.weights[name], out, 3, stride, 1, 1, false)
}

func (r reference) resNet8(x pictures) []float64 {
	y := r.norm("bn1", r.conv3("conv0", x, 16, 1)).relu()
	for i, out := range []int{16, 32, 64} {
		stride := min(i+1, 2)
		block := []string{"residual2", "residual3", "residual4"}[i]
		z := r.norm(block+"/bn1", r.conv3(block+"/conv0", y, out, stride)).relu()
		z = r.norm(block+"/bn3", r.conv3(block+"/conv2", z, out, 1))
		y = z.plus(y.subsample(stride, out)).relu()
	}
	return y.globalMean().dense(r.weights["dense5"], 10).v
}

// wideResNet16 is WideResNet(16, 1, 10): two blocks a stage, the first of which
// keeps its shape.
func (r reference) wideResNet16(x pictures) []float64 {
	y := r.conv3("conv0", x, 16, 1)
	keep := func(block string, x pictures, out int) pictures {
		z := r.conv3(block+"/conv1", r.norm(block+"/bn0", x).relu(), out, 1)
		return r.conv3(block+"/conv3", r.norm(block+"/bn2", z).relu(), out, 1).plus(x)
	}
	reshape := func(norm, block string, x pictures, out int) pictures {
		x = r.norm(norm, x).relu()
		z := r.norm(block+"/bn1", r.conv3(block+"/conv0", x, out, 2)).relu()
		return r.conv3(block+"/conv2", z, out, 1).plus(x.conv(r.weights[block+"/shortcut/conv0"], out, 1, 2, 0, 1, false))
	}
	y = keep("residual2", keep("residual1", y, 16), 16)
	y = keep("residual5", reshape("bn3", "residual4", y, 32), 32)
	y = keep("residual8", reshape("bn6", "residual7", y, 64), 64)
	return r.norm("bn9", y).relu().globalMean().dense(r.weights["dense10"], 10).v
}
