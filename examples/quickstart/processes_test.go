package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
)

func TestMain(m *testing.M) {
	if exampletest.IsProcess() {
		os.Exit(cli.RunTogether(run))
	}
	os.Exit(m.Run())
}

// TestProcesses compares two processes with one.
func TestProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("runs of mpirun take seconds")
	}
	launcher := exampletest.Launchers(t)[0]
	one, two := t.TempDir(), t.TempDir()
	if err := run(t.Context(), []string{"-steps", "20", "-out", one}, &bytes.Buffer{}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	p := launcher.Start(t, 2, nil, "-steps", "20", "-out", two)
	if code := p.Wait(time.Minute); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, p.Output())
	}
	checkTable(t, p.Output(), len(names))
	rows, others := exampletest.Table(t, filepath.Join(one, "evaluations.csv")), exampletest.Table(t, filepath.Join(two, "evaluations.csv"))
	if len(rows) != len(others) {
		t.Fatalf("%d and %d evaluations", len(rows), len(others))
	}
	for i, row := range rows[1:] {
		x, errX := strconv.ParseFloat(row[2], 64)
		y, errY := strconv.ParseFloat(others[i+1][2], 64)
		if errX != nil || errY != nil || !(math.Abs(x-y) <= 1e-3*x) {
			t.Errorf("%v and %v", row, others[i+1])
		}
	}
}
