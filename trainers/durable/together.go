package durable

import (
	"context"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/collective"
)

// Together lets all members of a training stop, and save, after the same step, whichever of
// them was asked to stop. A signal often reaches only some of them, and never all at the
// same time; one that left alone would have the others wait for it.
//
//	asked, release := durable.UntilStopped(ctx)
//	defer release()
//	all := durable.NewTogether(asked, comm)
//	for tr.Steps() < steps {
//		save, err := all.Next(time.Since(saved) > time.Minute)
//		if errors.Is(err, context.Canceled) {
//			return tr.Save(path) // rank 0 writes
//		}
//		...
//		_, err = tr.Step(batch)
//	}
//
// All members call Next equally often. It must not be used by two goroutines at once.
type Together struct {
	asked context.Context // of this member
	comm  collective.Communicator
	until context.Context // of all
	end   context.CancelFunc

	wishes []float64          // for a stop, for a save: those of all, when sum is there
	sum    collective.Pending // nil before the first step
}

// NewTogether is for the members of comm. The end of asked is this member's wish to stop;
// see UntilStopped.
func NewTogether(asked context.Context, comm collective.Communicator) *Together {
	t := &Together{asked: asked, comm: comm, until: asked, end: func() {}, wishes: make([]float64, 2)}
	if comm.Size() > 1 {
		t.until, t.end = context.WithCancel(context.WithoutCancel(asked))
	}
	return t
}

// Context ends when Next has returned that all members stop. It is for what makes the
// batches (Stream). With one member it is the context of NewTogether.
func (t *Together) Context() context.Context { return t.until }

// Next is called before each step. Its error is context.Canceled, on all members after the
// same step, when one of them was asked to stop: at the call after the next at the latest.
// save is a wish for a checkpoint now, such as by the clock, which the members need not
// agree about: saveNow tells all whether to write one before this step. The wishes travel
// while the step before computes; no member waits for them.
func (t *Together) Next(save bool) (saveNow bool, err error) {
	if t.comm.Size() == 1 {
		return save, errors.WithStack(t.asked.Err())
	}
	if t.sum == nil {
		t.tell(save)
	}
	if err := t.sum.Wait(); err != nil {
		return false, errors.WithMessage(err, "durable: whether to stop")
	}
	if t.wishes[0] > 0 {
		t.end()
		return false, &collective.MemberError{Rank: -1, Shared: true, Err: context.Canceled}
	}
	saveNow = t.wishes[1] > 0
	t.tell(save && !saveNow)
	return saveNow, nil
}

// tell starts to let the other members know this one's wishes.
func (t *Together) tell(save bool) {
	for i, wish := range []bool{t.asked.Err() != nil, save} {
		t.wishes[i] = 0
		if wish {
			t.wishes[i] = 1
		}
	}
	t.sum = t.comm.Sum64(t.wishes)
}
