package app

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// columns are those of epochs.csv after epoch and step.
func (a *App) columns() []string {
	all := []string{"test_loss", "test_accuracy"}
	if a.KeepsBest {
		all = append(all, "best_epoch")
	}
	return all
}

// evaluated is a test after an epoch.
type evaluated struct {
	step           int
	loss, accuracy float64
}

// bestEpoch is the epoch, counted from 1, with the best test accuracy, the first of
// equal ones.
func bestEpoch(history []evaluated) int {
	at := 0
	for i, e := range history {
		if e.accuracy > history[at].accuracy {
			at = i
		}
	}
	return at + 1
}

// readHistory reads epochs.csv, whose lines are those of all epochs so far.
func readHistory(dir string) ([]evaluated, error) {
	path := filepath.Join(dir, runlog.EpochsCSV)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, errors.Wrap(err, path)
	}
	var history []evaluated
	for i, row := range rows {
		if i == 0 {
			continue
		}
		var e evaluated
		if len(row) < 4 || row[0] != strconv.Itoa(i) {
			return nil, errors.Errorf("%s: line %d is not that of epoch %d", path, i+1, i)
		}
		if e.step, err = strconv.Atoi(row[1]); err == nil {
			e.loss, err = strconv.ParseFloat(row[2], 64)
		}
		if err == nil {
			e.accuracy, err = strconv.ParseFloat(row[3], 64)
		}
		if err != nil {
			return nil, errors.Wrapf(err, "%s: line %d", path, i+1)
		}
		history = append(history, e)
	}
	return history, nil
}
