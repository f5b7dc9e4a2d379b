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

// networkOf finds latency and bandwidth from the times of sums of two processes, by their
// bytes: 2·latency + bytes/bandwidth. The smallest has the latency; bandwidth is fitted to
// those of at least a bucket, or to the largest.
func networkOf(name string, times map[int]float64) (Network, error) {
	var sizes []int
	for bytes, t := range times {
		if !(t > 0) {
			return Network{}, errors.Errorf("a sum of %d bytes in %v s", bytes, t)
		}
		sizes = append(sizes, bytes)
	}
	if len(sizes) < 2 {
		return Network{}, errors.New("latency and bandwidth: two sizes at least are needed")
	}
	slices.Sort(sizes)
	start, largest := times[sizes[0]], sizes[len(sizes)-1]
	var xx, xy float64 // relative deviations count
	for _, bytes := range sizes {
		if x, y := float64(bytes), times[bytes]; bytes >= bucket || bytes == largest {
			xx, xy = xx+x*x/(y*y), xy+x*(y-start)/(y*y)
		}
	}
	b := xy / xx
	if !(b > 0) { // a busy machine: large sums took no longer than small ones
		b = times[largest] / float64(largest)
	}
	return Network{Name: name, Latency: start / 2, Bandwidth: 1 / b}, nil
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
