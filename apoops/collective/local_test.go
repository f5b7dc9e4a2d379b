package collective

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

// members runs f for each of n members at once, and returns how many calls are kept.
func members(n int, f func(Communicator)) (kept int) {
	var wg sync.WaitGroup
	all := Local(n)
	for _, c := range all {
		wg.Go(func() { f(c) })
	}
	wg.Wait()
	return len(all[0].(*local).group.calls)
}

// TestLocal runs all calls, some sums at once, on one to four members.
func TestLocal(t *testing.T) {
	for n := 1; n <= 4; n++ {
		kept := members(n, func(c Communicator) {
			if c.Size() != n {
				t.Errorf("size %d of %d", c.Size(), n)
			}
			r := c.Rank()
			for round := range 50 {
				x, y := []float32{float32(r), 2}, []float64{1, float64(r * round)}
				first, second := StartSum(c, x), StartSum(c, y)
				if err := errors.Join(first.Wait(), second.Wait()); err != nil {
					t.Error(err)
				}
				ranks := n * (n - 1) / 2
				if !slices.Equal(x, []float32{float32(ranks), float32(2 * n)}) || !slices.Equal(y, []float64{float64(n), float64(ranks * round)}) {
					t.Errorf("%d members: sums %v and %v", n, x, y)
				}
				data := []byte{byte(r), byte(round)}
				if err := c.Broadcast(n-1, data); err != nil || data[0] != byte(n-1) {
					t.Errorf("broadcast %v, %v", data, err)
				}
				if err := c.Barrier(); err != nil {
					t.Error(err)
				}
			}
		})
		if kept != 0 {
			t.Errorf("%d members: %d calls are kept", n, kept)
		}
	}
}

// TestDiffering finds the ranks whose data differs from rank 0's, on all ranks.
func TestDiffering(t *testing.T) {
	for _, data := range []string{"aaa", "aba", "abb", "abcd"} {
		var want []int
		for r := range data {
			if data[r] != data[0] {
				want = append(want, r)
			}
		}
		members(len(data), func(c Communicator) {
			if got, err := Differing(c, []byte{data[c.Rank()]}); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: rank %d finds %v, %v", data, c.Rank(), got, err)
			}
		})
	}
}

// TestLocalAbort wakes members that wait for one that has failed.
func TestLocalAbort(t *testing.T) {
	members(3, func(c Communicator) {
		if c.Rank() == 1 {
			c.Abort(errors.New("no more space"))
			return
		}
		if err := Sum(c, make([]float32, 3)); !errors.Is(err, ErrAborted) {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
	})
}

// TestLocalNamesDifferentCalls lets one member make another call than the rest.
func TestLocalNamesDifferentCalls(t *testing.T) {
	members(2, func(c Communicator) {
		err := Sum(c, make([]float64, 3+c.Rank()))
		if err == nil || !strings.Contains(err.Error(), "3 elements") && !strings.Contains(err.Error(), "4 elements") {
			t.Errorf("sums of 3 and 4 elements: %v", err)
		}
	})
	if err := Local(2)[0].Broadcast(2, nil); err == nil {
		t.Error("a broadcast from rank 2 of 2")
	}
}

// TestSingle leaves everything as it is.
func TestSingle(t *testing.T) {
	x := []float64{1, 2}
	var c Communicator = Single{}
	if err := errors.Join(Sum(c, x), c.Broadcast(0, []byte{1}), c.Barrier()); err != nil || !slices.Equal(x, []float64{1, 2}) || c.Size() != 1 || c.Rank() != 0 {
		t.Errorf("%v, %v", x, err)
	}
	c.Abort(nil)
}
