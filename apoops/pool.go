package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Pool is the geometry of a pooling of images, rows first, columns second. A
// window is Kernel elements large, the next one begins Stride further (0 stands
// for Kernel), the first one begins Pad before the image; the padding behind the
// image has Behind elements more, or fewer where Behind is negative. Windows that
// would reach beyond the padding are left out. The padding on each side is from 0 to
// below Kernel, so that each window has elements of the image.
type Pool struct{ Kernel, Stride, Pad, Behind [2]int }

// OutSize is the size of the result for an image of h rows and w columns.
func (p Pool) OutSize(h, w int) (oh, ow int) {
	p = p.filled()
	return (h+p.padding(0)-p.Kernel[0])/p.Stride[0] + 1, (w+p.padding(1)-p.Kernel[1])/p.Stride[1] + 1
}

// padding is how many elements of padding an axis has, those of both sides.
func (p Pool) padding(axis int) int { return 2*p.Pad[axis] + p.Behind[axis] }

func (p Pool) filled() Pool {
	for i, s := range p.Stride {
		if s == 0 {
			p.Stride[i] = p.Kernel[i]
		}
	}
	return p
}

func (p Pool) String() string {
	return fmt.Sprintf("(%v/%v+%v+%v)", p.Kernel, p.Stride, p.Pad, p.Behind)
}

// infer returns the shape of the result for x.
func (p Pool) infer(x tensor.Shape) (tensor.Shape, error) {
	if err := wantImages(x, "x"); err != nil {
		return nil, err
	}
	p = p.filled()
	for i, k := range p.Kernel {
		front, behind := p.Pad[i], p.Pad[i]+p.Behind[i]
		if k < 1 || p.Stride[i] < 1 || min(front, behind) < 0 || max(front, behind) >= k {
			return nil, errors.Errorf("kernel %v, stride %v, padding %d and %d on axis %d: kernel and stride must be positive, padding from 0 to below the kernel", p.Kernel, p.Stride, front, behind, 2+i)
		}
		if x[2+i]+p.padding(i) < k {
			return nil, errors.Errorf("kernel %v is larger than x of shape %v with padding %v", p.Kernel, x, p.Pad)
		}
	}
	oh, ow := p.OutSize(x[2], x[3])
	return tensor.Shape{x[0], x[1], oh, ow}, nil
}

// halves tells whether the windows are 2×2 and do not overlap.
func (p Pool) halves() bool {
	return p.Kernel == [2]int{2, 2} && p.Stride == p.Kernel && p.Pad == [2]int{} && p.Behind == [2]int{}
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
