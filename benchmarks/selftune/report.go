package selftune

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// score is what an entry reaches by one clock.
type score struct {
	entry
	ratios []float64
	area   float64
	// reached is the number of workloads whose target it reaches.
	reached int
}

// comparison is the result by one clock.
type comparison struct {
	clock
	scores []score // in the order of the entries
	pairs  []pair
}

func (r *results) compare(by clock) comparison {
	c := comparison{clock: by, pairs: r.pairsOf(by)}
	times := r.times(by)
	for i, ratios := range Ratios(times) {
		c.scores = append(c.scores, score{r.entries[i], ratios, Area(ratios, r.o.limit), reached(times[i])})
	}
	return c
}

// report writes the report of the stored results.
func (o *options) report(ctx context.Context, stdout io.Writer) error {
	r, err := o.load()
	if err != nil {
		return err
	}
	var all []comparison
	for _, by := range clocks {
		all = append(all, r.compare(by))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return errors.Wrap(err, "-report")
	}
	tables := map[string]func() ([]byte, error){
		"areas.csv": func() ([]byte, error) { return areasCSV(all) },
		"times.csv": r.timesCSV,
		"pairs.csv": func() ([]byte, error) { return pairsCSV(all) },
	}
	for name, make := range tables {
		text, err := make()
		if err != nil {
			return errors.Wrap(err, name)
		}
		if err := durable.WriteFile(filepath.Join(o.out, name), text); err != nil {
			return err
		}
	}
	var pictures []string
	for _, c := range all {
		drawn, err := c.draw(o)
		if err != nil {
			return err
		}
		pictures = append(pictures, drawn...)
	}
	text := r.markdown(all, pictures)
	if err := durable.WriteFile(filepath.Join(o.out, "selftune.md"), []byte(text)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\nselftune.md, profiles and tables are in %s\n", r.summary(all), o.out)
	return errors.Wrap(err, "writing the report")
}
