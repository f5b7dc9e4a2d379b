package convtest

// Case is a convolution of images of Shape, N×C×H×W, to a number of channels, rows
// first, columns second. A Stride or Dilation of 0 stands for 1.
type Case struct {
	Name                          string
	Shape                         []int
	Outputs                       int
	Kernel, Stride, Pad, Dilation [2]int
}

// Even is a case with equal numbers for rows and columns.
func Even(name string, shape []int, outputs, kernel, stride, pad, dilation int) Case {
	both := func(n int) [2]int { return [2]int{n, n} }
	return Case{name, shape, outputs, both(kernel), both(stride), both(pad), both(dilation)}
}

// Cases are small convolutions of many geometries.
var Cases = []Case{
	Even("3x3", []int{3, 2, 5, 6}, 4, 3, 1, 1, 1),
	Even("valid 3x3", []int{2, 3, 4, 5}, 2, 3, 0, 0, 0),
	Even("stride 2", []int{3, 2, 7, 6}, 3, 3, 2, 1, 1),
	Even("dilation 2", []int{2, 2, 7, 8}, 3, 3, 1, 2, 2),
	Even("stride and dilation", []int{2, 1, 9, 8}, 2, 2, 3, 1, 3),
	Even("1x1", []int{3, 4, 3, 5}, 2, 1, 1, 0, 1),
	Even("1x1 of one position", []int{5, 4, 1, 1}, 2, 1, 1, 0, 1),
	Even("1x1, stride 2", []int{3, 4, 5, 4}, 2, 1, 2, 0, 1),
	Even("1x1, padded", []int{2, 2, 2, 3}, 2, 1, 1, 1, 1),
	{"oblong", []int{2, 2, 6, 5}, 3, [2]int{1, 3}, [2]int{2, 1}, [2]int{0, 2}, [2]int{1, 2}},
	{"whole image", []int{3, 2, 4, 3}, 5, [2]int{4, 3}, [2]int{}, [2]int{}, [2]int{}},
	Even("padding beyond the image", []int{2, 1, 2, 2}, 2, 3, 1, 4, 1),
	Even("one of each", []int{1, 1, 1, 1}, 1, 1, 1, 0, 1),
}

// Direct computes act(conv(x, W)) by its definition. W has a last row for the bias
// if bias is set.
func (c Case) Direct(x, w []float64, bias bool, act func(float64) float64) []float64 {
	for i := range c.Stride {
		c.Stride[i], c.Dilation[i] = max(c.Stride[i], 1), max(c.Dilation[i], 1)
	}
	var y []float64
	for n := range c.Shape[0] {
		for o := range c.Outputs {
			for i := range c.outSize(0) {
				for j := range c.outSize(1) {
					sum := c.patchProduct(x, w, n, o, i, j)
					if bias {
						sum += w[c.Shape[1]*c.Kernel[0]*c.Kernel[1]*c.Outputs+o]
					}
					y = append(y, act(sum))
				}
			}
		}
	}
	return y
}

func (c Case) outSize(axis int) int {
	return (c.Shape[2+axis]+2*c.Pad[axis]-c.Dilation[axis]*(c.Kernel[axis]-1)-1)/c.Stride[axis] + 1
}

// patchProduct is the product of the patch of image n at row i and column j with the
// weights of output o.
func (c Case) patchProduct(x, w []float64, n, o, i, j int) (sum float64) {
	s := c.Shape
	for ch := range s[1] {
		for r := range c.Kernel[0] {
			for q := range c.Kernel[1] {
				a, b := i*c.Stride[0]-c.Pad[0]+r*c.Dilation[0], j*c.Stride[1]-c.Pad[1]+q*c.Dilation[1]
				if a >= 0 && a < s[2] && b >= 0 && b < s[3] {
					sum += x[((n*s[1]+ch)*s[2]+a)*s[3]+b] * w[((ch*c.Kernel[0]+r)*c.Kernel[1]+q)*c.Outputs+o]
				}
			}
		}
	}
	return sum
}
