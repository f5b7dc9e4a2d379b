package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

func TestReadHistory(t *testing.T) {
	for content, want := range map[string]string{
		"epoch,step,test_loss,test_accuracy\n":                                      "",
		"epoch,step,test_loss,test_accuracy\n1,6,0.5,0.25\n2,12,0.4,0.5\n":          "",
		"epoch,step\n2,1,1,1\n":                                                     "wrong number of fields",
		"epoch,step,test_loss,test_accuracy\n2,12,0.4,0.5\n":                        "line 2 is not that of epoch 1",
		"epoch,step,test_loss,test_accuracy\n1,6,0.5,0.25\n3,18,0.4,0.5\n":          "line 3 is not that of epoch 2",
		"epoch,step,test_loss,test_accuracy\n1,6,x,0.25\n":                          "line 2",
		"epoch,step,test_loss,test_accuracy,best_epoch\n1,6,0.5,0.25,1\n2,12,0,0,1": "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, runlog.EpochsCSV), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		history, err := readHistory(dir)
		if want == "" && (err != nil || len(history) != strings.Count(strings.TrimSpace(content), "\n")) {
			t.Errorf("%q: %v, %v", content, history, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}

func TestBestEpoch(t *testing.T) {
	history := []evaluated{{accuracy: 0.1}, {accuracy: 0.3}, {accuracy: 0.3}, {accuracy: 0.2}}
	if got := bestEpoch(history); got != 2 {
		t.Errorf("the best epoch is %d, want 2: the first of equal ones", got)
	}
}
