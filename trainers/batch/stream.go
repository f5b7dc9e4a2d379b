package batch

import (
	"context"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
)

// prepared is the number of batches that a Stream makes ahead.
const prepared = 4

// Stream serves the mini-batches of Batches, or of TokenBatches, in order. A goroutine makes them ahead,
// so that the trainer does not wait for them. They are those of At, bit for bit. The
// state of a stream is its seed and the next step, so a checkpoint keeps none of it.
//
//	stream := batches.Stream(ctx, tr.Steps())
//	defer stream.Close()
//	for tr.Steps() < steps {
//		batch, err := stream.Next()
//		...
//		stats, err := tr.Step(batch)
//	}
//
// A Stream must not be used by two goroutines at once.
type Stream struct {
	ctx         context.Context
	cancel      context.CancelFunc
	ready, free chan graph.Batch
	done        chan struct{}
	out         graph.Batch // the result of the last Next
	err         error       // why there are no batches; set before ready is closed
}

// Stream starts a stream of the mini-batches from step first on. The end of the
// context ends it; Close must be called even then.
func (s *Batches) Stream(ctx context.Context, first int) *Stream {
	if s.data == nil {
		return &Stream{err: errNoBatches}
	}
	own := &sampler{data: s.data, size: s.size, seed: s.seed, epoch: -1}
	return newStream(ctx, max(first, 0), func(old graph.Batch, step int) graph.Batch {
		if old.X == nil {
			old = own.data.NewBatch(own.size)
		}
		own.fill(old, step)
		return old
	})
}

// newStream starts a stream of what next gives for each step from first on. It gets a
// batch that is not needed any more, or an empty one.
func newStream(ctx context.Context, first int, next func(old graph.Batch, step int) graph.Batch) *Stream {
	if ctx == nil {
		return &Stream{err: errors.New("trainers: stream of batches without a context")}
	}
	t := &Stream{
		ready: make(chan graph.Batch, prepared+1),
		free:  make(chan graph.Batch, prepared+1),
		done:  make(chan struct{}),
	}
	t.ctx, t.cancel = context.WithCancel(ctx)
	for range prepared + 1 { // one of them is with the trainer
		t.free <- graph.Batch{}
	}
	go t.prepare(next, first)
	return t
}

// prepare is the goroutine's work.
func (t *Stream) prepare(next func(old graph.Batch, step int) graph.Batch, step int) {
	defer close(t.done)
	defer func() {
		if r := recover(); r != nil {
			t.err = errors.Errorf("trainers: stream of batches: %v", r)
			close(t.ready)
		}
	}()
	for ; ; step++ {
		select {
		case <-t.ctx.Done():
			return
		case b := <-t.free:
			t.ready <- next(b, step) // there are no more batches than places
		}
	}
}

// Next is the next mini-batch, valid until the next call of Next. It waits only
// where the trainer is faster than the goroutine. The error is the context's.
func (t *Stream) Next() (graph.Batch, error) {
	if t.ctx == nil {
		if t.err == nil {
			t.err = errNoBatches
		}
		return graph.Batch{}, t.err
	}
	if t.out.X != nil {
		t.free <- t.out
		t.out = graph.Batch{}
	}
	if err := t.ctx.Err(); err != nil {
		return graph.Batch{}, errors.Wrap(err, "trainers: stream of batches")
	}
	select {
	case <-t.ctx.Done():
		return graph.Batch{}, errors.Wrap(t.ctx.Err(), "trainers: stream of batches")
	case out, ok := <-t.ready:
		if !ok {
			return graph.Batch{}, t.err
		}
		t.out = out
		return out, nil
	}
}

// Close ends the goroutine and waits for it. Batches taken from the stream stay
// as they are.
func (t *Stream) Close() {
	if t.cancel == nil {
		return
	}
	t.cancel()
	<-t.done
}
