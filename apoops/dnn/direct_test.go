package dnn

// The direct sums of convolution and its gradients, in float64.

type direct struct {
	Shape
	oh, ow int
}

func newDirect(s Shape) direct {
	oh, ow := s.OutSize()
	return direct{s.dense(), oh, ow}
}

// each calls f with the offsets of x, w (by the house's rows) and y of every
// multiplication.
func (d direct) each(f func(x, w, y int)) {
	for n := range d.N {
		for o := range d.Out {
			for i := range d.oh {
				for j := range d.ow {
					y := ((n*d.Out+o)*d.oh+i)*d.ow + j
					for c := range d.C {
						for r := range d.Kernel[0] {
							for q := range d.Kernel[1] {
								h, w := i*d.Stride[0]-d.Pad[0]+r*d.Dilation[0], j*d.Stride[1]-d.Pad[1]+q*d.Dilation[1]
								if h < 0 || w < 0 || h >= d.H || w >= d.W {
									continue
								}
								row := (c*d.Kernel[0]+r)*d.Kernel[1] + q
								f(((n*d.C+c)*d.H+h)*d.W+w, row*d.Out+o, y)
							}
						}
					}
				}
			}
		}
	}
}

func (d direct) forward(x, w, b []float32) []float64 {
	y := make([]float64, d.N*d.output())
	for i := range y {
		if b != nil {
			y[i] = float64(b[i/(d.oh*d.ow)%d.Out])
		}
	}
	d.each(func(i, j, k int) { y[k] += float64(x[i]) * float64(w[j]) })
	return y
}

func (d direct) backward(x, w, dy []float32) (dx, dw, db []float64) {
	dx, dw, db = make([]float64, len(x)), make([]float64, len(w)), make([]float64, d.Out)
	d.each(func(i, j, k int) {
		dx[i] += float64(w[j]) * float64(dy[k])
		dw[j] += float64(x[i]) * float64(dy[k])
	})
	for i, v := range dy {
		db[i/(d.oh*d.ow)%d.Out] += float64(v)
	}
	return dx, dw, db
}
