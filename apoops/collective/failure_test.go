package collective

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestJoinErrors has every set of three members fail.
func TestJoinErrors(t *testing.T) {
	for set := range 8 {
		first := -1
		for r := range 3 {
			if set>>r&1 == 1 && first < 0 {
				first = r
			}
		}
		members(3, func(c Communicator) {
			var own error
			if set>>c.Rank()&1 == 1 {
				own = fmt.Errorf("no more space on %d", c.Rank())
			}
			err := JoinErrors(c, own)
			want := ""
			switch {
			case set == 7:
				want = own.Error()
			case set > 0:
				want = fmt.Sprintf("rank %d: no more space on %d", first, first)
			}
			if got := fmt.Sprint(err); set > 0 && got != want || set == 0 && err != nil {
				t.Errorf("set %b: rank %d has %q, want %q", set, c.Rank(), got, want)
			}
			if IsShared(err) != (set > 0) || c.Rank() == first && !errors.Is(err, own) {
				t.Errorf("set %b: rank %d: shared %t, %v", set, c.Rank(), IsShared(err), err)
			}
			if again := JoinErrors(c, err); again != err {
				t.Errorf("joined twice: %v", again)
			}
		})
	}
}

// TestJoinErrorsTellsTheCause keeps the kind of a cancelled context and cuts long texts.
func TestJoinErrorsTellsTheCause(t *testing.T) {
	members(2, func(c Communicator) {
		var own error
		if c.Rank() == 1 {
			own = fmt.Errorf("evaluating: %w", context.Canceled)
		}
		if err := JoinErrors(c, own); !errors.Is(err, context.Canceled) || !IsShared(err) {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
		if c.Rank() == 1 {
			own = errors.New(strings.Repeat("ä", longestCause))
		}
		if err := JoinErrors(c, own); err == nil || c.Rank() == 0 && err.Error() != "rank 1: "+strings.Repeat("ä", longestCause/2) {
			t.Errorf("rank %d: %.80v", c.Rank(), err)
		}
	})
	err := errors.New("one")
	if JoinErrors(Single{}, err) != err || JoinErrors(Single{}, nil) != nil {
		t.Error("a member by itself has another error than its own")
	}
}

// TestAfterFirst counts who does what, and when.
func TestAfterFirst(t *testing.T) {
	done := make([]bool, 3)
	members(3, func(c Communicator) {
		if err := AfterFirst(c, func() error {
			if c.Rank() > 0 && !done[0] {
				t.Errorf("rank %d is before rank 0", c.Rank())
			}
			done[c.Rank()] = true
			return nil
		}); err != nil || !done[c.Rank()] {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
		for fails := range 3 {
			err := AfterFirst(c, func() error {
				if c.Rank() == fails {
					return errors.New("no data")
				}
				return nil
			})
			if want := fmt.Sprintf("rank %d: no data", fails); err == nil || err.Error() != want {
				t.Errorf("rank %d has %v, want %s", c.Rank(), err, want)
			}
		}
		ran := false
		err := OnFirst(c, func() error { ran = true; return errors.New("full") })
		if ran != (c.Rank() == 0) || err == nil || err.Error() != "rank 0: full" {
			t.Errorf("rank %d ran: %t, %v", c.Rank(), ran, err)
		}
	})
}

// TestJoinErrorsAfterAbort keeps a member's own error.
func TestJoinErrorsAfterAbort(t *testing.T) {
	own := errors.New("own")
	members(2, func(c Communicator) {
		if c.Rank() == 1 {
			c.Abort(nil)
			return
		}
		if err := JoinErrors(c, own); err != own || IsShared(err) {
			t.Errorf("got %v", err)
		}
		if err := JoinErrors(c, nil); !errors.Is(err, ErrAborted) {
			t.Errorf("got %v", err)
		}
	})
}
