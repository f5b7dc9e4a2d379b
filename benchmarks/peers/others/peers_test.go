package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/peers"
)

// TestMain lets the test binary act as the program that peers starts for this library.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == peers.Name {
		os.Exit(peers.Run(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// Peers builds this program in both ways, and all sides have the same losses.
func TestPeersMeasuresAllSides(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: building with another GOEXPERIMENT takes seconds, at first a minute")
	}
	var out, errs strings.Builder
	args := []string{"-others", "-only", "mlp", "-batch", "2", "-rounds", "1", "-steps", "2", "-warmup", "1", "-python", "no-such-python"}
	if code := peers.Run(context.Background(), args, &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit code %d, %s%s", code, out.String(), errs.String())
	}
	for _, side := range []string{"alone", "GoMLX", "GoMLX-SIMD", "GoMLX-SIMD-sequential", "Gorgonia", "Gorgonia-BLAS"} {
		if !strings.Contains(out.String(), "\nours/"+side+" ") {
			t.Errorf("no ratio to %s in %s", side, out.String())
		}
	}
	for _, want := range []string{"Go, simd", "gonum", "alone ", "\nmlp "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, out.String())
		}
	}
}
