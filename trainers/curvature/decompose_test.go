package curvature

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// TestLargestFirst orders by both factors and leaves equals as they are.
func TestLargestFirst(t *testing.T) {
	var w work[float32]
	for _, size := range [][2]int{{3, 2}, {50, 1}, {7, 90}, {1, 50}, {60, 60}} {
		w.cost = append(w.cost, cubes(size[0], size[1]))
	}
	order, owner := w.assign(2)
	if got := fmt.Sprint(order); got != "[2 4 1 3 0]" {
		t.Errorf("order %v", got)
	}
	if got := fmt.Sprint(owner); got != "[1 1 0 1 1]" {
		t.Errorf("owners %v", got)
	}
}

// TestDividedWork compares roots that three members make together with those of one process,
// to the bit. One of them fails.
func TestDividedWork(t *testing.T) {
	sizes := []int{5, 40, 3, 17, 17, 2, 30}
	const bad = 3
	var computed atomic.Int64
	run := func(c collective.Communicator) (failed []bool, roots [][]float64) {
		rng := rand.New(rand.NewPCG(1, 2))
		var from [][]float64
		var to []*tensor.Dense
		w := work[float64]{members: c, results: func(i int) []*tensor.Dense { return to[i : i+1] }}
		for _, n := range sizes {
			a := make([]float64, n*n)
			for i := range n {
				a[i*n+i] = 1 + rng.Float64()
			}
			roots = append(roots, make([]float64, n*n))
			from, to = append(from, a), append(to, array.Matrix(roots[len(roots)-1], n, n))
			w.cost = append(w.cost, cubes(n, 0))
		}
		w.compute = func(i int) error {
			computed.Add(1)
			if i == bad {
				return errors.New("not positive")
			}
			e, err := decomposed(from[i], sizes[i])
			if err != nil {
				return err
			}
			r, err := e.inverseFourthRoot(0, ulp[float64]())
			copy(roots[i], r)
			return err
		}
		failed, err := w.do()
		if err != nil {
			t.Error(err)
		}
		return failed, roots
	}
	wantFailed, want := run(nil)
	if !wantFailed[bad] || count(wantFailed) != 1 {
		t.Fatalf("failures %v", wantFailed)
	}
	computed.Store(0)
	var wg sync.WaitGroup
	for _, c := range collective.Local(3) {
		wg.Go(func() {
			failed, roots := run(c)
			if !slices.Equal(failed, wantFailed) {
				t.Errorf("rank %d: failures %v", c.Rank(), failed)
			}
			for i := range roots {
				if !slices.Equal(roots[i], want[i]) {
					t.Errorf("rank %d: root %d has other bits", c.Rank(), i)
				}
			}
		})
	}
	wg.Wait()
	if n := computed.Load(); n != int64(len(sizes)) {
		t.Errorf("%d roots were computed, not %d", n, len(sizes))
	}
}
