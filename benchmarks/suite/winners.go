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

// maxLoss is above every loss of a run that did not diverge.
const maxLoss = math.MaxFloat64

// readWinners reads a folder's winners for an experiment, none if there are
// none.
func readWinners(dir, experiment, scale string) (methods.Tuned, error) {
	t, err := methods.LoadTuned(os.DirFS(dir), experiment, scale)
	return t, errors.Wrapf(err, "%s", filepath.Join(dir, methods.TunedFile(experiment, scale)))
}

// storeWinner puts a method's winner into a folder's file, beside those of the
// other methods.
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

// Median is that of the values, for an even number the mean of the two in the
// middle, and NaN for none.
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
