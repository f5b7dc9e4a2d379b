package collective

import (
	"testing"
	"time"
)

// TestCounted lets one member come late, and counts what the other one exchanges and waits.
func TestCounted(t *testing.T) {
	const late = 30 * time.Millisecond
	members(2, func(world Communicator) {
		c := Count(world)
		if err := Sum(c, make([]float64, 5)); err != nil {
			t.Error(err)
		}
		before := c.Counts()
		if c.Rank() == 1 {
			time.Sleep(late)
		}
		p, q := StartSum(c, make([]float32, 3)), StartSum(c, make([]float64, 2))
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
		if err := q.Wait(); err != nil {
			t.Error(err)
		}
		if err := c.Broadcast(1, make([]byte, 7)); err != nil {
			t.Error(err)
		}
		if err := c.Barrier(); err != nil {
			t.Error(err)
		}
		got := c.Counts().Minus(before)
		waited := got.Waited
		if got.Waited = 0; got != (Counts{Sums: 2, SumBytes: 3*4 + 2*8, Broadcasts: 1, BroadcastBytes: 7}) {
			t.Errorf("rank %d: %+v", c.Rank(), got)
		}
		if c.Rank() == 0 && waited < late/2 {
			t.Errorf("the member that is early waited %v", waited)
		}
		if c.Size() != 2 || c.Counts().SumBytes != got.SumBytes+5*8 {
			t.Errorf("%d members, %+v", c.Size(), c.Counts())
		}
	})
}
