package suite

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// maxLoss is an upper bound of the losses of runs that did not diverge.
const maxLoss = math.MaxFloat64

// readWinners reads the winners of an experiment from a folder. There may be none.
func readWinners(dir, experiment, scale string) (methods.Tuned, error) {
	t, err := methods.LoadTuned(os.DirFS(dir), experiment, scale)
	return t, errors.Wrapf(err, "%s", filepath.Join(dir, methods.TunedFile(experiment, scale)))
}

// storeWinner adds a method's winner to the experiment's file in a folder.
func storeWinner(dir, experiment, scale, method string, w methods.Winner) error {
	all, err := readWinners(dir, experiment, scale)
	if err != nil {
		return err
	}
	all[method] = w
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return errors.Wrap(err, "winners")
	}
	return replaceFile(filepath.Join(dir, methods.TunedFile(experiment, scale)), append(text, '\n'))
}

// Median is the median of x: for an even number of values the mean of the two in the
// middle, for none NaN.
func Median(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	n := len(x)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return x[n/2]
	}
	return (x[n/2-1] + x[n/2]) / 2
}
