package app

import (
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

// readHistory reads the epochs of a run.
func readHistory(dir string) ([]evaluated, error) {
	rows, err := runlog.ReadEpochs(dir, 4)
	if err != nil {
		return nil, err
	}
	var history []evaluated
	for _, row := range rows {
		history = append(history, evaluated{step: int(row[1]), loss: row[2], accuracy: row[3]})
	}
	return history, nil
}
