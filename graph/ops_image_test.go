package graph

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// imageCases are pooling and normalisation.
func imageCases() []opCase {
	var cases []opCase
	for _, c := range []struct{ kernel, pad, stride []int }{
		{[]int{2, 2}, []int{0, 0}, []int{2, 2}},
		{[]int{3, 2}, []int{1, 0}, []int{2, 1}},
		{[]int{2, 2}, []int{1, 0, 0, 1}, []int{2, 2}},
		{[]int{3, 2}, []int{0, 2, 1, 0}, []int{2, 1}},
	} {
		lopsided := ""
		if len(c.pad) == 4 {
			lopsided = "padding that differs"
		}
		shape := []int{2, 2, 5, 4}
		cases = append(cases, opCase{
			name: fmt.Sprintf("max pooling %v", c), shapes: [][]int{shape}, note: lopsided,
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				return gorgonia.MaxPool2D(p[0], tensor.Shape(c.kernel), c.pad, c.stride)
			},
			want: func(p [][]float64) []float64 {
				return windows(p[0], shape, c.kernel, c.pad, c.stride, func(w []float64) float64 {
					m := math.Inf(-1)
					for _, v := range w {
						m = max(m, v)
					}
					return m
				})
			},
		}, opCase{
			name: fmt.Sprintf("average pooling %v", c), shapes: [][]int{shape}, note: "Gorgonia's AveragePool2D",
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				return gorgonia.AveragePool2D(p[0], tensor.Shape(c.kernel), c.pad, c.stride)
			},
			want: func(p [][]float64) []float64 {
				return windows(p[0], shape, c.kernel, c.pad, c.stride, func(w []float64) (m float64) {
					for _, v := range w {
						m += v / float64(c.kernel[0]*c.kernel[1])
					}
					return m
				})
			},
		})
	}
	return append(cases,
		opCase{
			name: "max pooling of rows", shapes: [][]int{{2, 2, 1, 6}}, note: "AveragePool1D",
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.MaxPool1D(p[0], 3, 1, 2) },
		},
		opCase{
			name: "global average pooling", shapes: [][]int{{2, 3, 2, 2}}, note: "has no gradient",
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.GlobalAveragePool2D(p[0]) },
			want: func(p [][]float64) []float64 {
				y := make([]float64, 6)
				for i, v := range p[0] {
					y[i/4] += v / 4
				}
				return y
			},
		},
		opCase{
			name: "upsampling", shapes: [][]int{{2, 2, 3, 2}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Upsample2D(p[0], 2) },
		},
		opCase{
			name: "patches", shapes: [][]int{{2, 2, 4, 5}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				return gorgonia.Im2Col(p[0], tensor.Shape{2, 3}, tensor.Shape{1, 0}, tensor.Shape{1, 2}, tensor.Shape{1, 1})
			},
		},
		opCase{
			name: "convolution of rows", shapes: [][]int{{2, 2, 1, 7}, {3, 2, 1, 3}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Conv1d(p[0], p[1], 3, 1, 2, 1) },
		},
		opCase{
			name: "axes in another order", shapes: [][]int{{2, 3, 4, 5}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Transpose(p[0], 2, 0, 3, 1) },
		},
		opCase{
			name: "batch norm of images", shapes: [][]int{{3, 2, 2, 2}, {1, 2, 1, 1}, {1, 2, 1, 1}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				y, _, _, _, err := gorgonia.BatchNorm(p[0], p[1], p[2], 0.9, 1e-3)
				return y, err
			},
		},
		opCase{
			name: "batch norm of vectors", shapes: [][]int{{5, 3}, {1, 3}, {1, 3}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				y, _, _, _, err := gorgonia.BatchNorm(p[0], p[1], p[2], 0.9, 1e-3)
				return y, err
			},
		},
		opCase{
			name: "batch norm by running statistics", shapes: [][]int{{3, 2, 2, 2}, {1, 2, 1, 1}, {1, 2, 1, 1}}, note: "is not in training",
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				y, _, _, op, err := gorgonia.BatchNorm(p[0], p[1], p[2], 0.9, 1e-3)
				if err != nil {
					return nil, err
				}
				mean, variance := op.Stats()
				fill(mean, -0.5)
				fill(variance, 4)
				return y, op.SetTraining(false)
			},
			want: func(p [][]float64) []float64 {
				y := make([]float64, len(p[0]))
				for i, v := range p[0] {
					c := i / 4 % 2
					y[i] = p[1][c]*(v+0.5)/math.Sqrt(4+1e-3) + p[2][c]
				}
				return y
			},
		},
		groupNorm(2, 4, 2), groupNorm(1, 2, 3), groupNorm(4, 4, 2), groupNorm(1, 1, 17),
	)
}

func fill(t tensor.Tensor, v float64) {
	if t.Dtype() == tensor.Float32 {
		t.Memset(float32(v))
	} else {
		t.Memset(v)
	}
}

// groupNorm is of two images of the given channels, of size² elements each.
func groupNorm(groups, channels, size int) opCase {
	const epsilon = 1e-3
	scale := []int{1, channels, 1, 1}
	note := ""
	if channels/groups*size*size > 263 {
		note = "Gorgonia's GroupNorm"
	}
	return opCase{
		note: note,
		name: fmt.Sprintf("group norm %d/%d", channels, groups), shapes: [][]int{{2, channels, size, size}, scale, scale},
		build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.GroupNorm(p[0], p[1], p[2], groups, channels, epsilon)
		},
		want: func(p [][]float64) []float64 {
			n := channels / groups * size * size
			y := make([]float64, len(p[0]))
			for from := 0; from < len(y); from += n {
				var mean, variance float64
				for _, v := range p[0][from : from+n] {
					mean += v / float64(n)
				}
				for _, v := range p[0][from : from+n] {
					variance += (v - mean) * (v - mean) / float64(n)
				}
				for i := from; i < from+n; i++ {
					c := i / (size * size) % channels
					y[i] = p[1][c]*(p[0][i]-mean)/math.Sqrt(variance+epsilon) + p[2][c]
				}
			}
			return y
		},
	}
}

// windows reduces each window of padded images, left out of which is the padding.
func windows(x []float64, s, kernel, pad, stride []int, f func(window []float64) float64) (y []float64) {
	before, behind := [2]int{pad[0], pad[1]}, [2]int{pad[0], pad[1]}
	if len(pad) == 4 { // north, south, west, east
		before, behind = [2]int{pad[0], pad[2]}, [2]int{pad[1], pad[3]}
	}
	for plane := range s[0] * s[1] {
		for i := -before[0]; i+kernel[0] <= s[2]+behind[0]; i += stride[0] {
			for j := -before[1]; j+kernel[1] <= s[3]+behind[1]; j += stride[1] {
				var w []float64
				for r := max(i, 0); r < min(i+kernel[0], s[2]); r++ {
					for c := max(j, 0); c < min(j+kernel[1], s[3]); c++ {
						w = append(w, x[(plane*s[2]+r)*s[3]+c])
					}
				}
				y = append(y, f(w))
			}
		}
	}
	return y
}
