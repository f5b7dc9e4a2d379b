package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// TestKilled kills the program again and again at random moments; what it leaves
// in the end is what a run never stopped does, bit for bit.
func TestKilled(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGKILL")
	}
	data := t.TempDir()
	writeData(t, data)
	for _, model := range killedModels {
		t.Run(model, func(t *testing.T) {
			args := []string{"-model", model, "-augment", "-batch", "4", "-limit", "24", "-epochs", "6", "-apo", "plain", "-k", "2"}
			whole, parts := t.TempDir(), t.TempDir()
			began := time.Now()
			if !child(t, data, time.Minute, exampletest.With(args, "-out", whole)...) {
				t.Fatal("a minute is not enough")
			}
			length := time.Since(began)
			rng := rand.New(rand.NewPCG(4, 4))
			kills := 0
			for args = exampletest.With(args, "-out", parts); ; {
				patience := time.Minute
				if kills < 4 {
					patience = time.Duration((0.3 + 0.5*rng.Float64()) * float64(length))
				}
				if child(t, data, patience, args...) {
					if kills > 0 {
						break
					}
					// faster than the whole run was: again, with less patience
					length /= 2
					if err := os.RemoveAll(parts); err != nil {
						t.Fatal(err)
					}
					continue
				}
				kills++
				if _, err := os.Stat(filepath.Join(parts, runlog.SettingsJSON)); err == nil {
					args = []string{"-resume", "-out", parts}
				}
			}
			t.Logf("done after %d kills", kills)
			exampletest.EqualRuns(t, whole, parts)
		})
	}
}

// child runs the program in a process of its own, which is killed where it takes
// longer than patience, and tells whether it came to its end.
func child(t *testing.T, data string, patience time.Duration, args ...string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], args...) // the end of the context kills it
	c.Env = append(os.Environ(), suite.Env(data))
	output, err := c.CombinedOutput()
	if err != nil && ctx.Err() == nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return err == nil
}

// killedModels are the nets that are killed, one with batch norm.
var killedModels = []string{"lenet", "resnet8"}
