package mpi

import (
	"os"
	"strings"
	"time"
	"unsafe"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/collective"
)

// Communicator is a collective.Communicator that is to be closed at the end. A process that
// ends with an exit code other than 0 before Close makes the launcher end all others.
type Communicator interface {
	collective.Communicator
	// Close waits until the other processes close theirs.
	Close() error
	// Leave is Close for a deferred call in a function that returns *err. It does not wait
	// for the others where that is an error of this process alone (collective.IsShared),
	// for they may wait for this one: the process is to end with an exit code other than
	// 0. Where *err is nil it becomes that of Close.
	Leave(err *error)
}

// Start joins the processes that a launcher has started, or returns collective.Single where
// there is none. It returns an error if there is a launcher but no library, or one that
// does not belong to it. It is called once in a process.
func Start() (Communicator, error) {
	l, ok := launched()
	want := strings.TrimSpace(os.Getenv(Env))
	if want == "off" || !ok && (want == "" || want == "auto") {
		return single{}, nil
	}
	lib, err := find(l)
	if err != nil {
		return nil, err
	}
	c := &communicator{w: newWorker(lib)}
	if err := c.w.start(); err != nil {
		return nil, err
	}
	if l.size > 0 && l.size != c.w.members {
		return nil, errors.Errorf("mpi: %s has started %d processes, but the library sees %d: it belongs to another launcher (%s names one)",
			l.name, l.size, c.w.members, Env)
	}
	return c, nil
}

type single struct{ collective.Single }

func (single) Close() error { return nil }
func (single) Leave(*error) {}

type communicator struct{ w *worker }

func (c *communicator) Rank() int { return c.w.number }
func (c *communicator) Size() int { return c.w.members }

func (c *communicator) Sum32(x []float32) collective.Pending {
	return c.w.begin(&request{op: sum, data: unsafe.Pointer(unsafe.SliceData(x)), length: len(x), dtype: c.w.lib.float, size: 4})
}

func (c *communicator) Sum64(x []float64) collective.Pending {
	return c.w.begin(&request{op: sum, data: unsafe.Pointer(unsafe.SliceData(x)), length: len(x), dtype: c.w.lib.double, size: 8})
}

func (c *communicator) Broadcast(root int, data []byte) error {
	if root < 0 || root >= c.w.members {
		return errors.Errorf("mpi: there is no rank %d among %d", root, c.w.members)
	}
	return c.w.begin(&request{op: broadcast, data: unsafe.Pointer(unsafe.SliceData(data)), length: len(data), dtype: c.w.lib.octet, size: 1, root: root}).Wait()
}

func (c *communicator) Barrier() error { return c.w.begin(&request{op: barrier}).Wait() }

func (c *communicator) Close() error { return c.w.begin(&request{op: end}).Wait() }

func (c *communicator) Leave(err *error) {
	if *err != nil && !collective.IsShared(*err) {
		return
	}
	if lost := c.Close(); *err == nil {
		*err = lost
	}
}

// abortAfter is how long Abort waits for the thread that makes the calls: it may be inside
// of one that never returns.
const abortAfter = time.Second

func (c *communicator) Abort(error) {
	select {
	case c.w.aborts <- struct{}{}:
		<-c.w.ended
	case <-c.w.ended:
	case <-time.After(abortAfter):
		c.w.abort()
	}
}
