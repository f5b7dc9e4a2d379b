package collective

import (
	"sync"

	"github.com/pkg/errors"
)

// Local makes the communicators of n goroutines of this process, by rank. Sums are added
// up in the order of ranks. It panics if n is below 1.
func Local(n int) []Communicator {
	if n < 1 {
		panic("collective: Local needs one member at least")
	}
	g := &group{calls: make(map[int]*call), size: n}
	g.changed.L = &g.lock
	all := make([]Communicator, n)
	for r := range all {
		all[r] = &local{g, r, 0}
	}
	return all
}

// group is what the members share.
type group struct {
	size    int
	lock    sync.Mutex
	changed sync.Cond
	calls   map[int]*call // by their number
	aborted bool
}

// call is one that all members make.
type call struct {
	name    string
	length  int
	data    []any // of each member
	arrived int
	left    int // members that have not fetched the result
	err     error
}

type local struct {
	*group
	rank, calls int
}

func (l *local) Rank() int { return l.rank }
func (l *local) Size() int { return l.size }

func (l *local) Sum32(x []float32) Pending { return sumLocal(l, "a sum of float32", x) }
func (l *local) Sum64(x []float64) Pending { return sumLocal(l, "a sum of float64", x) }

func sumLocal[T Float](l *local, name string, x []T) Pending {
	own := append([]T(nil), x...)
	number := l.arrive(name, len(x), own)
	return pendingLocal(func() error {
		return l.fetch(number, func(c *call) {
			clear(x)
			for _, d := range c.data {
				for i, v := range d.([]T) {
					x[i] += v
				}
			}
		})
	})
}

type pendingLocal func() error

func (p pendingLocal) Wait() error { return p() }

func (l *local) Broadcast(root int, data []byte) error {
	if root < 0 || root >= l.size {
		return errors.Errorf("collective: there is no rank %d among %d", root, l.size)
	}
	number := l.arrive("a broadcast", len(data), append([]byte(nil), data...))
	return l.fetch(number, func(c *call) { copy(data, c.data[root].([]byte)) })
}

func (l *local) Barrier() error { return l.fetch(l.arrive("a barrier", 0, nil), func(*call) {}) }

func (l *local) Abort(error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.aborted = true
	l.changed.Broadcast()
}

// arrive says that this member makes its next call, and returns its number.
func (l *local) arrive(name string, length int, data any) int {
	l.lock.Lock()
	defer l.lock.Unlock()
	number := l.calls
	l.calls++
	c := l.group.calls[number]
	if c == nil {
		c = &call{name: name, length: length, data: make([]any, l.size), left: l.size}
		l.group.calls[number] = c
	}
	c.data[l.rank] = data
	if c.name != name || c.length != length {
		c.err = errors.Errorf("collective: rank %d makes %s of %d elements, another one %s of %d", l.rank, name, length, c.name, c.length)
	}
	if c.arrived++; c.arrived == l.size {
		l.changed.Broadcast()
	}
	return number
}

// fetch waits until all members have made a call and hands it to use.
func (l *local) fetch(number int, use func(*call)) error {
	l.lock.Lock()
	c := l.group.calls[number]
	for c.arrived < l.size && !l.aborted {
		l.changed.Wait()
	}
	aborted := c.arrived < l.size
	if c.left--; c.left == 0 {
		delete(l.group.calls, number)
	}
	l.lock.Unlock()
	if aborted {
		return ErrAborted
	}
	if c.err != nil {
		return c.err
	}
	use(c)
	return nil
}
