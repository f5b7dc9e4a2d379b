package trainers

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// killEnv is the path of the checkpoint, runEnv the name of the run, in the
// environment of the process that is killed.
const killEnv, runEnv = "APO_TEST_TRAIN_AND_SAVE", "APO_TEST_RUN"

// TestMain lets the test binary be the process that is killed, which trains and
// saves a checkpoint after every step until it is stopped, or the one that prints
// the bits of a training.
func TestMain(m *testing.M) {
	if os.Getenv(coresEnv) != "" {
		printBits()
	}
	if path := os.Getenv(killEnv); path != "" {
		trainAndSave(killRuns[os.Getenv(runEnv)], path)
	}
	os.Exit(m.Run())
}

// killRun is a training whose mini-batches are a stream with random changes, made
// in the background.
type killRun struct {
	make         func(t testing.TB) (*Trainer, Dataset)
	steps, kills int
}

// killRuns have batch norm and dropout, and rules with as much state as there is.
var killRuns = map[string]killRun{
	"dense": {func(t testing.TB) (*Trainer, Dataset) {
		return normedTrainer(t, Adam(0.01), EveryK(2), Seed(3), RatePerParam()), noisySet{toyData(t, tensor.Float32)}
	}, 400, 5},
	"sgdm": convRun(SGDm(0.05), func(b *Batches) []Option {
		return []Option{EveryK(2), RatePerParam(), TildeFrom(b.TildeAt)}
	}),
	"calibrated": convRun(Adam(0.003), func(b *Batches) []Option {
		return []Option{EveryK(3), Calibrated(CalibratedConfig{Horizon: 40}), CalibrateFrom(func(i int) (graph.Batch, error) { return b.At(i), nil })}
	}),
	"low rank": convRun(Precond(0.05), func(*Batches) []Option { return []Option{EveryK(2)} }),
	"precond":  convRun(PrecondPlain(0.05), func(*Batches) []Option { return []Option{EveryK(2)} }),
	"relative": convRun(precond.Relative(0.5), func(b *Batches) []Option {
		return []Option{EveryK(5), TildeFrom(b.TildeAt)}
	}),
	"trust": convRun(trusting(precond.TrustRegion(0.5), 1e-3), func(b *Batches) []Option {
		return []Option{EveryK(5), TildeFrom(b.TildeAt)}
	}),
	"kfac":  convRun(KFAC(0.01), func(*Batches) []Option { return []Option{EveryK(2)} }),
	"ekfac": convRun(EKFAC(0.003), func(*Batches) []Option { return []Option{EveryK(3)} }),
	"float16": convRun(Adam(0.003), func(*Batches) []Option {
		return []Option{EveryK(2), Precision(apoops.Float16, precision.Stochastic(), precision.WithScale(precision.LossScale{Start: 1 << 24, Dynamic: true, Every: 4}))}
	}),
	"bfloat16": convRun(SGDm(0.05), func(*Batches) []Option {
		return []Option{EveryK(2), Precision(apoops.BFloat16)}
	}),
	"shampoo": convRun(Shampoo(0.03), func(*Batches) []Option { return []Option{EveryK(2)} }),
}

// trusting is o with a limit on what a step changes and a short warm-up.
func trusting(o *precond.PlainConfig, limit float64) *precond.PlainConfig {
	o.Relative.Trust, o.Relative.WarmUp, o.Relative.WarmUpMetaSteps = limit, 3, 2
	return o
}

// convRun trains the small residual net. The options get batches of their own.
func convRun(o Optimizer, opts func(*Batches) []Option) killRun {
	return killRun{func(t testing.TB) (*Trainer, Dataset) {
		set := toyImages()
		return convTrainer(t, o, append(opts(batchesOf(t, set)), Seed(3))...), set
	}, 50, 2}
}

func trainAndSave(r killRun, path string) {
	var t testing.T
	tr, set := r.make(&t)
	stream(&t, tr, set, r.steps, func() error { return tr.Save(path) })
	time.Sleep(time.Minute) // wait to be killed
}

// TestResumeAfterKill kills a process that writes checkpoints all the time,
// again and again at random moments; each time the file left behind resumes to
// the bits of a run never stopped, on another number of cores.
func TestResumeAfterKill(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGKILL")
	}
	for name, r := range killRuns {
		t.Run(name, func(t *testing.T) {
			whole, set := r.make(t)
			stream(t, whole, set, r.steps, nil)
			rng := rand.New(rand.NewPCG(8, uint64(len(name))))
			middles := 0
			for kill := range r.kills {
				path := filepath.Join(t.TempDir(), "checkpoint")
				child := exec.Command(os.Args[0], "-test.run=^$")
				child.Env = append(os.Environ(), killEnv+"="+path, runEnv+"="+name)
				if kill%2 == 1 {
					child.Env = append(child.Env, "GOMAXPROCS=1")
				}
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				awaitCheckpoints(t, path, 1+rng.IntN(12))
				time.Sleep(time.Duration(rng.IntN(20_000)) * time.Microsecond)
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				if err := child.Wait(); err == nil {
					t.Fatal("the child was not killed")
				}
				if left, _ := filepath.Glob(path + ".tmp-*"); len(left) > 0 {
					middles++
				}
				tr, set := r.make(t)
				if err := tr.Load(path); err != nil {
					t.Fatalf("after the kill: %v", err)
				}
				t.Logf("killed after step %d of %d", tr.Steps(), r.steps)
				stream(t, tr, set, r.steps, nil)
				sameBits(t, "resumed after a kill", whole.engine, tr.engine)
			}
			t.Logf("%d of %d kills hit a checkpoint half written", middles, r.kills)
		})
	}
}

// awaitCheckpoints waits until the file was replaced so many times, or for the
// last time as it seems.
func awaitCheckpoints(t *testing.T, path string, times int) {
	t.Helper()
	var written time.Time
	for began, seen := time.Now(), 0; seen < times; time.Sleep(time.Millisecond) {
		if f, err := os.Stat(path); err == nil && f.ModTime() != written {
			written, began = f.ModTime(), time.Now()
			seen++
		}
		switch waited := time.Since(began); {
		case seen == 0 && waited > 20*time.Second:
			t.Fatal("the child wrote no checkpoint")
		case seen > 0 && waited > time.Second:
			return
		}
	}
}
