package runlog

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"
)

// ReadEpochs reads the first n numbers of each line of a run's epochs.csv, of which the
// first is the epoch. The lines are those of all epochs so far.
func ReadEpochs(dir string, n int) ([][]float64, error) {
	path := filepath.Join(dir, EpochsCSV)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, errors.Wrap(err, path)
	}
	var all [][]float64
	for i, row := range rows[min(1, len(rows)):] {
		if len(row) < n || row[0] != strconv.Itoa(i+1) {
			return nil, errors.Errorf("%s: line %d is not that of epoch %d", path, i+2, i+1)
		}
		numbers := make([]float64, n)
		for k := range numbers {
			if numbers[k], err = strconv.ParseFloat(row[k], 64); err != nil {
				return nil, errors.Wrapf(err, "%s: line %d", path, i+2)
			}
		}
		all = append(all, numbers)
	}
	return all, nil
}
