package par

import (
	"sync"
	"sync/atomic"
)

// Grain is a chunk length that suits loops of a few operations an element.
const Grain = 8192

// job is one running loop. It is free again when its last user, the caller or a worker, has
// finished with it.
type job struct {
	body     func(lo, hi int)
	n, grain int64
	chunks   int64
	next     atomic.Int64 // the next chunk to take
	open     atomic.Int64 // chunks not finished yet
	users    atomic.Int64
	done     chan struct{}
	failure  atomic.Pointer[any]
}

var (
	start   sync.Once
	workers int
	queue   chan *job
)

// free are the jobs that nothing uses. A loop may end long before the workers that it queued
// for take notice of it, so from the start there are as many as the queue and the workers can
// hold, and one for the caller: more are made for callers at the same time alone.
var free struct {
	sync.Mutex
	jobs []*job
}

func newJob() *job { return &job{done: make(chan struct{}, 1)} }

func takeJob() *job {
	free.Lock()
	defer free.Unlock()
	last := len(free.jobs) - 1
	if last < 0 {
		return newJob()
	}
	j := free.jobs[last]
	free.jobs = free.jobs[:last]
	return j
}

func startWorkers() {
	workers = Cores() - 1
	queue = make(chan *job, 4*workers)
	for range cap(queue) + workers + 1 {
		free.jobs = append(free.jobs, newJob())
	}
	for range workers {
		go func() {
			var t turn
			for {
				j := receive(queue)
				j.work()
				j.release()
				t.pass()
			}
		}()
	}
}

// polls is how often a goroutine checks for work before it goes to sleep, some 0.2
// ms: loops of one training step follow one another faster than a sleeper wakes up.
const polls = 50_000

func receive[T any](c chan T) T {
	for range polls {
		select {
		case v := <-c:
			return v
		default:
		}
	}
	return <-c
}

// For calls body(lo, hi) for consecutive chunks [lo, hi) of [0, n), each of
// grain iterations but the last, on all cores, and returns when all are done.
// A grain below 1 counts as 1. A panic in body is raised again in the caller.
func For(n, grain int, body func(lo, hi int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	chunks := (n + grain - 1) / grain
	if chunks == 1 {
		body(0, n)
		return
	}
	start.Do(startWorkers)
	callers.pass()
	j := takeJob()
	j.body, j.n, j.grain, j.chunks = body, int64(n), int64(grain), int64(chunks)
	j.next.Store(0)
	j.open.Store(int64(chunks))
	j.failure.Store(nil)
	helpers := min(workers, chunks-1)
	j.users.Store(int64(helpers) + 1)
	for range helpers {
		select {
		case queue <- j:
		default: // every worker is busy: the caller does the work
			j.release()
		}
	}
	j.work()
	receive(j.done)
	failure := j.failure.Load()
	j.release()
	if failure != nil {
		panic(*failure)
	}
}

// work takes chunks until none is left. Whoever finishes the last one signals.
func (j *job) work() {
	for {
		c := j.next.Add(1) - 1
		if c >= j.chunks {
			return
		}
		j.run(c*j.grain, min((c+1)*j.grain, j.n))
		if j.open.Add(-1) == 0 {
			j.done <- struct{}{}
		}
	}
}

func (j *job) run(lo, hi int64) {
	defer func() {
		if r := recover(); r != nil {
			j.fail(r)
		}
	}()
	j.body(int(lo), int(hi))
}

func (j *job) fail(r any) { j.failure.Store(&r) }

func (j *job) release() {
	if j.users.Add(-1) == 0 {
		j.body = nil
		free.Lock()
		free.jobs = append(free.jobs, j)
		free.Unlock()
	}
}

// RowGrain is Grain for a loop over rows of the given length: the number of rows
// that make a chunk.
func RowGrain(length int) int { return max(1, 4096/max(length, 1)) }
