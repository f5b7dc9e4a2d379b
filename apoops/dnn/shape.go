package dnn

import "github.com/pkg/errors"

// Shape is the geometry of a convolution of N images of C×H×W with Out filters. Pairs
// are rows, columns. A Stride or Dilation of 0 means 1.
type Shape struct {
	N, C, H, W, Out               int
	Kernel, Stride, Pad, Dilation [2]int
	// BlockedX and BlockedY are for x and y, and their gradients, in blocks of Block
	// channels, N×C/Block×H×W×Block, as the kernels work on them. Block must divide the
	// number of channels, and Blocks say that there are such kernels.
	BlockedX, BlockedY bool
}

// Block is the number of channels whose elements lie side by side in a blocked array.
const Block = 16

// OutSize is the number of rows and columns of the output.
func (s Shape) OutSize() (h, w int) {
	s = s.dense()
	return s.out(0, s.H), s.out(1, s.W)
}

func (s Shape) out(axis, size int) int {
	return (size+2*s.Pad[axis]-s.Dilation[axis]*(s.Kernel[axis]-1)-1)/s.Stride[axis] + 1
}

// dense puts 1 where Stride and Dilation are 0.
func (s Shape) dense() Shape {
	for i := range 2 {
		if s.Stride[i] == 0 {
			s.Stride[i] = 1
		}
		if s.Dilation[i] == 0 {
			s.Dilation[i] = 1
		}
	}
	return s
}

// check names the first value that makes no convolution.
func (s Shape) check() error {
	for name, v := range map[string]int{"N": s.N, "C": s.C, "H": s.H, "W": s.W, "Out": s.Out, "Kernel": min(s.Kernel[0], s.Kernel[1])} {
		if v < 1 {
			return errors.Errorf("dnn: %s is %d, must be positive", name, v)
		}
	}
	for name, v := range map[string][2]int{"Stride": s.Stride, "Pad": s.Pad, "Dilation": s.Dilation} {
		if v[0] < 0 || v[1] < 0 {
			return errors.Errorf("dnn: %s is %v, must not be negative", name, v)
		}
	}
	if s.BlockedX && s.C%Block != 0 || s.BlockedY && s.Out%Block != 0 {
		return errors.Errorf("dnn: blocks of %d channels of C %d and Out %d", Block, s.C, s.Out)
	}
	s = s.dense()
	for i, size := range [2]int{s.H, s.W} {
		if size+2*s.Pad[i] < s.Dilation[i]*(s.Kernel[i]-1)+1 {
			return errors.Errorf("dnn: the kernel %v with dilation %v is larger than the padded image of %d×%d", s.Kernel, s.Dilation, s.H, s.W)
		}
	}
	return nil
}

// rows is C·kh·kw, the number of rows of the weight matrix.
func (s Shape) rows() int { return s.C * s.Kernel[0] * s.Kernel[1] }

// image and output are the numbers of elements of one image and of its output.
func (s Shape) image() int { return s.C * s.H * s.W }

func (s Shape) output() int {
	h, w := s.OutSize()
	return s.Out * h * w
}
