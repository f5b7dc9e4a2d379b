package trainers

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

const killEnv = "APO_TEST_TRAIN_AND_SAVE"

// TestMain lets the test binary be the process that is killed: it trains and
// saves a checkpoint after every step until it is stopped.
func TestMain(m *testing.M) {
	if path := os.Getenv(killEnv); path != "" {
		trainAndSave(path)
	}
	os.Exit(m.Run())
}

const killSteps = 400

func killTrainer(t testing.TB) *Trainer {
	return normedTrainer(t, Adam(0.01), EveryK(2), Seed(3), RatePerParam())
}

func trainAndSave(path string) {
	var t testing.T
	tr := killTrainer(&t)
	for step := range killSteps {
		run(&t, tr, step, step+1)
		if tr.Save(path) != nil {
			os.Exit(1)
		}
	}
	time.Sleep(time.Minute) // wait to be killed
}

// TestResumeAfterKill kills a process that writes checkpoints all the time,
// again and again at random moments; each time the file left behind resumes to
// the bits of a run never stopped.
func TestResumeAfterKill(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGKILL")
	}
	whole := killTrainer(t)
	run(t, whole, 0, killSteps)
	rng := rand.New(rand.NewPCG(8, 8))
	middles := 0
	for range 10 {
		path := filepath.Join(t.TempDir(), "checkpoint")
		child := exec.Command(os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), killEnv+"="+path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(path); err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the child wrote no checkpoint")
			}
		}
		time.Sleep(time.Duration(rng.IntN(60_000)) * time.Microsecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		if left, _ := filepath.Glob(path + ".tmp-*"); len(left) > 0 {
			middles++
		}
		tr := killTrainer(t)
		if err := tr.Load(path); err != nil {
			t.Fatalf("after the kill: %v", err)
		}
		run(t, tr, tr.Steps(), killSteps)
		sameBits(t, "resumed after a kill", whole.engine, tr.engine)
	}
	t.Logf("%d of 10 kills hit a checkpoint half written", middles)
}
