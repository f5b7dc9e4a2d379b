package par

import (
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
)

func TestForCoversEachIndexOnce(t *testing.T) {
	for _, c := range []struct{ n, grain int }{{0, 4}, {1, 4}, {4, 4}, {5, 4}, {1000, 7}, {10, 0}, {10, 100}} {
		seen := make([]atomic.Int32, c.n)
		For(c.n, c.grain, func(lo, hi int) {
			if c.n > max(c.grain, 1) && lo%max(c.grain, 1) != 0 {
				t.Errorf("n=%d grain=%d: chunk starts at %d", c.n, c.grain, lo)
			}
			for i := lo; i < hi; i++ {
				seen[i].Add(1)
			}
		})
		for i := range seen {
			if got := seen[i].Load(); got != 1 {
				t.Fatalf("n=%d grain=%d: index %d visited %d times", c.n, c.grain, i, got)
			}
		}
	}
}

func TestForManyCallersAtOnceAndNested(t *testing.T) {
	var total atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				For(64, 8, func(lo, hi int) {
					For(16, 4, func(a, b int) { total.Add(int64((b - a) * (hi - lo))) })
				})
			}
		})
	}
	wg.Wait()
	if want := int64(8 * 200 * 64 * 16); total.Load() != want {
		t.Fatalf("total %d, want %d", total.Load(), want)
	}
}

func TestForRaisesPanicInCaller(t *testing.T) {
	defer func() {
		if r := recover(); r != "chunk 3" {
			t.Fatalf("recovered %v, want chunk 3", r)
		}
	}()
	For(100, 10, func(lo, _ int) {
		if lo == 30 {
			panic("chunk 3")
		}
	})
	t.Fatal("no panic reached the caller")
}

func TestForAllocatesNothing(t *testing.T) {
	w := make([]float64, 1<<16)
	body := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			w[i]++
		}
	}
	For(len(w), 1024, body)
	if n := testing.AllocsPerRun(200, func() { For(len(w), 1024, body) }); n != 0 {
		t.Fatalf("%v allocations a call", n)
	}
}

// TestForAllocatesNothingBesideLateWorkers keeps all workers busy, so that loops end before
// these take notice of them, in a process that takes the machine for one with many cores.
func TestForAllocatesNothingBesideLateWorkers(t *testing.T) {
	const cores = "32"
	if os.Getenv("GOMAXPROCS") != cores {
		program, err := os.Executable()
		if err != nil {
			t.Skip(err)
		}
		c := exec.Command(program, "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), "GOMAXPROCS="+cores)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	For(2, 1, func(int, int) {})
	var busy, end sync.WaitGroup
	held := make(chan struct{})
	busy.Add(workers + 1)
	end.Go(func() {
		For(workers+1, 1, func(int, int) { busy.Done(); <-held })
	})
	busy.Wait()
	n := testing.AllocsPerRun(20, func() { For(2, 1, func(int, int) {}) })
	close(held)
	end.Wait()
	if n != 0 {
		t.Fatalf("%v allocations a call", n)
	}
}
