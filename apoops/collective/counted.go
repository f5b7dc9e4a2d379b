package collective

import (
	"sync/atomic"
	"time"
)

// Counted counts what the members of another communicator exchange, and how long this one
// waits for it:
//
//	comm := collective.Count(world)
//	tr, err := trainers.New(model, loss, optimizer, trainers.Parallel(comm))
//	before := comm.Counts()
//	...
//	spent := comm.Counts().Minus(before)
type Counted struct {
	Communicator
	sums, sumBytes, broadcasts, broadcastBytes, waited atomic.Int64
}

// Counts are those of a Counted. Bytes are those of the arrays: an algorithm in a ring sends
// 2(n-1)/n of those that n members sum up.
type Counts struct {
	Sums           int64
	SumBytes       int64
	Broadcasts     int64
	BroadcastBytes int64
	// Waited is the time in Wait, Broadcast and Barrier.
	Waited time.Duration
}

// Count begins to count.
func Count(c Communicator) *Counted { return &Counted{Communicator: c} }

// Counts are those since Count.
func (c *Counted) Counts() Counts {
	return Counts{c.sums.Load(), c.sumBytes.Load(), c.broadcasts.Load(), c.broadcastBytes.Load(), time.Duration(c.waited.Load())}
}

// Minus are the counts since those of before.
func (c Counts) Minus(before Counts) Counts {
	return Counts{c.Sums - before.Sums, c.SumBytes - before.SumBytes, c.Broadcasts - before.Broadcasts, c.BroadcastBytes - before.BroadcastBytes, c.Waited - before.Waited}
}

// Sum32 implements Communicator.
func (c *Counted) Sum32(x []float32) Pending { return c.begin(4*len(x), c.Communicator.Sum32(x)) }

// Sum64 implements Communicator.
func (c *Counted) Sum64(x []float64) Pending { return c.begin(8*len(x), c.Communicator.Sum64(x)) }

func (c *Counted) begin(bytes int, p Pending) Pending {
	c.sums.Add(1)
	c.sumBytes.Add(int64(bytes))
	return countedPending{c, p}
}

// Broadcast implements Communicator.
func (c *Counted) Broadcast(root int, data []byte) error {
	c.broadcasts.Add(1)
	c.broadcastBytes.Add(int64(len(data)))
	return c.timed(func() error { return c.Communicator.Broadcast(root, data) })
}

// Barrier implements Communicator.
func (c *Counted) Barrier() error { return c.timed(c.Communicator.Barrier) }

type countedPending struct {
	c *Counted
	Pending
}

// Wait implements Pending.
func (p countedPending) Wait() error { return p.c.timed(p.Pending.Wait) }

func (c *Counted) timed(wait func() error) error {
	began := time.Now()
	err := wait()
	c.waited.Add(int64(time.Since(began)))
	return err
}
