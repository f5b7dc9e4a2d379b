package scaling

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// line is y = a + b·x.
type line struct{ a, b float64 }

// fit is the line with the least sum of squared relative deviations, so that the smallest
// values count as much as the largest. Neither a nor b is negative.
func fit(x, y []float64) (line, error) {
	var s, sx, sxx, sy, sxy float64
	for i := range x {
		if !(y[i] > 0) {
			return line{}, errors.Errorf("a time of %v s for size %v", y[i], x[i])
		}
		w := 1 / (y[i] * y[i])
		s, sx, sxx, sy, sxy = s+w, sx+w*x[i], sxx+w*x[i]*x[i], sy+w*y[i], sxy+w*x[i]*y[i]
	}
	det := s*sxx - sx*sx
	if !(det > 1e-12*s*sxx) {
		return line{}, errors.New("two sizes at least are needed")
	}
	l := line{(sxx*sy - sx*sxy) / det, (s*sxy - sx*sy) / det}
	switch {
	case l.a < 0:
		l = line{0, sxy / sxx}
	case l.b < 0:
		l = line{sy / s, 0}
	}
	return l, nil
}

// networkOf fits latency and bandwidth to the times of sums of two processes, by their bytes:
// 2·latency + bytes/bandwidth.
func networkOf(name string, times map[int]float64) (Network, error) {
	var x, y []float64
	for bytes, t := range times {
		x, y = append(x, float64(bytes)), append(y, t)
	}
	l, err := fit(x, y)
	if err != nil {
		return Network{}, errors.WithMessage(err, "latency and bandwidth")
	}
	if l.b == 0 { // a busy machine: the largest sum took no longer than small ones
		i := slices.Index(x, slices.Max(x))
		l.b = y[i] / x[i]
	}
	return Network{Name: name, Latency: l.a / 2, Bandwidth: 1 / l.b}, nil
}

func least(x []float64) float64 { return slices.Min(append([]float64{math.Inf(1)}, x...)) }

// median is 0 where there are none.
func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}
