package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Pool is the geometry of a pooling of images, rows first, columns second. A
// window is Kernel elements large, the next one begins Stride further (0 stands
// for Kernel), the first one begins Pad before the image. Windows that would
// reach beyond the padding are left out. Pad is at most half of Kernel.
type Pool struct{ Kernel, Stride, Pad [2]int }

// OutSize is the size of the result for an image of h rows and w columns.
func (p Pool) OutSize(h, w int) (oh, ow int) {
	p = p.filled()
	return (h+2*p.Pad[0]-p.Kernel[0])/p.Stride[0] + 1, (w+2*p.Pad[1]-p.Kernel[1])/p.Stride[1] + 1
}

func (p Pool) filled() Pool {
	for i, s := range p.Stride {
		if s == 0 {
			p.Stride[i] = p.Kernel[i]
		}
	}
	return p
}

func (p Pool) String() string { return fmt.Sprintf("(%v/%v+%v)", p.Kernel, p.Stride, p.Pad) }

// infer returns the shape of the result for x.
func (p Pool) infer(x tensor.Shape) (tensor.Shape, error) {
	if err := wantImages(x, "x"); err != nil {
		return nil, err
	}
	p = p.filled()
	for i, k := range p.Kernel {
		if k < 1 || p.Stride[i] < 1 || p.Pad[i] < 0 || 2*p.Pad[i] > k {
			return nil, errors.Errorf("kernel %v, stride %v, padding %v: kernel and stride must be positive, padding at most half of the kernel", p.Kernel, p.Stride, p.Pad)
		}
		if x[2+i]+2*p.Pad[i] < k {
			return nil, errors.Errorf("kernel %v is larger than x of shape %v with padding %v", p.Kernel, x, p.Pad)
		}
	}
	oh, ow := p.OutSize(x[2], x[3])
	return tensor.Shape{x[0], x[1], oh, ow}, nil
}

// halves tells whether the windows are 2×2 and do not overlap.
func (p Pool) halves() bool {
	return p.Kernel == [2]int{2, 2} && p.Stride == p.Kernel && p.Pad == [2]int{}
}

// window is the part of window number i along one axis that lies within n
// elements.
func (p Pool) window(axis, i, n int) (lo, hi int) {
	lo = i*p.Stride[axis] - p.Pad[axis]
	return max(lo, 0), min(lo+p.Kernel[axis], n)
}

func wantImages(s tensor.Shape, operand string) error {
	if s.Dims() != 4 {
		return errors.Errorf("%s has shape %v, not that of images N×C×H×W", operand, s)
	}
	return nil
}
