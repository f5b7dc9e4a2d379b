package peers

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/pkg/errors"
)

// measurement is what one process measured, in milliseconds a step.
type measurement struct {
	Median  float64 `json:"median_ms"`
	Min     float64 `json:"min_ms"`
	Version string  `json:"version"`
	BLAS    string  `json:"blas"`
	Threads int     `json:"threads"`
}

type measure func(ctx context.Context) (measurement, error)

// contender is one side of a contest with what was measured so far.
type contender struct {
	name string
	run  measure
	all  []measurement
}

// contest runs the contenders in turn, as often as rounds says.
func contest(ctx context.Context, rounds int, sides []*contender) error {
	for range rounds {
		for _, c := range sides {
			m, err := c.run(ctx)
			if err != nil {
				return errors.WithMessage(err, c.name)
			}
			c.all = append(c.all, m)
		}
	}
	return nil
}

// median is the median of the rounds' medians.
func (c *contender) median() float64 {
	return median(collect(c.all, func(m measurement) float64 { return m.Median }))
}

// min is the least time of all rounds.
func (c *contender) min() float64 {
	return least(collect(c.all, func(m measurement) float64 { return m.Min }))
}

// report prints a line for each side, and the ratio of the first to each
// other.
func report(w io.Writer, sides []*contender) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tmedian ms\tmin ms\tversion\tBLAS\tthreads")
	for _, c := range sides {
		m := c.all[0]
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%s\t%s\t%d\n", c.name, c.median(), c.min(), m.Version, m.BLAS, m.Threads)
	}
	for _, c := range sides[1:] {
		fmt.Fprintf(t, "%s/%s\t%.2f\t%.2f\n", sides[0].name, c.name, sides[0].median()/c.median(), sides[0].min()/c.min())
	}
	return errors.Wrap(t.Flush(), "writing the report")
}

func collect(all []measurement, of func(measurement) float64) []float64 {
	x := make([]float64, len(all))
	for i, m := range all {
		x[i] = of(m)
	}
	return x
}

// median is the middle of x, which has an element.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}

func least(x []float64) float64 { return slices.Min(x) }
