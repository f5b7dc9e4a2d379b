package durable

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/collective"
)

// TestTogetherStops has each of three members be asked to stop, before the first step and
// later: all stop after the same step, soon after.
func TestTogetherStops(t *testing.T) {
	const n = 3
	for asked := range n {
		for _, when := range []int{0, 1, 7} {
			steps := make([]int, n)
			var wg sync.WaitGroup
			for _, comm := range collective.Local(n) {
				wg.Go(func() {
					ctx, ask := context.WithCancel(t.Context())
					defer ask()
					all := NewTogether(ctx, comm)
					for i := range 100 {
						if comm.Rank() == asked && i == when {
							ask()
						}
						_, err := all.Next(false)
						if err != nil {
							if !errors.Is(err, context.Canceled) || !collective.IsShared(err) || all.Context().Err() == nil {
								t.Errorf("rank %d: %v", comm.Rank(), err)
							}
							return
						}
						if all.Context().Err() != nil {
							t.Errorf("rank %d: the context ends before all stop", comm.Rank())
						}
						steps[comm.Rank()]++
					}
				})
			}
			wg.Wait()
			if slices.Max(steps) != slices.Min(steps) || steps[0] < when || steps[0] > when+2 || when == 0 && steps[0] > 0 {
				t.Errorf("rank %d asked before step %d: the members stop after %v steps", asked, when, steps)
			}
		}
	}
}

// TestTogetherSaves has one member wish to save from some steps on, until it has.
func TestTogetherSaves(t *testing.T) {
	const n, steps = 3, 30
	saved := make([][]int, n)
	var wg sync.WaitGroup
	for _, comm := range collective.Local(n) {
		wg.Go(func() {
			all := NewTogether(t.Context(), comm)
			due := 0
			for i := range steps {
				save, err := all.Next(comm.Rank() == 1 && i >= due)
				if err != nil {
					t.Error(err)
				}
				if save {
					saved[comm.Rank()] = append(saved[comm.Rank()], i)
					due = i + 10
				}
			}
		})
	}
	wg.Wait()
	if want := []int{0, 11, 22}; !slices.Equal(saved[0], want) || !slices.Equal(saved[1], want) || !slices.Equal(saved[2], want) {
		t.Errorf("saved before the steps %v, want %v on all", saved, want)
	}
}

// TestTogetherAlone is a process by itself, which stops at once.
func TestTogetherAlone(t *testing.T) {
	ctx, ask := context.WithCancel(t.Context())
	all := NewTogether(ctx, collective.Single{})
	for _, wish := range []bool{true, false} {
		if save, err := all.Next(wish); save != wish || err != nil {
			t.Errorf("save %t, %v", save, err)
		}
	}
	ask()
	if _, err := all.Next(false); !errors.Is(err, context.Canceled) || all.Context().Err() == nil {
		t.Errorf("asked to stop: %v", err)
	}
}

// TestTogetherAborted has a member that fails.
func TestTogetherAborted(t *testing.T) {
	members := collective.Local(2)
	members[1].Abort(nil)
	if _, err := NewTogether(t.Context(), members[0]).Next(false); !errors.Is(err, collective.ErrAborted) {
		t.Errorf("got %v", err)
	}
}
