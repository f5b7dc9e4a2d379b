package mpi

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// worker has the thread that makes all calls of the library.
type worker struct {
	lib             *library
	number, members int
	requests        chan *request
	aborts          chan struct{}
	ended           chan struct{}
	waiting         atomic.Int32 // requests that the program does nothing but wait for
	out             outputs
}

// outputs are what the library writes to.
type outputs struct {
	number, members, provided, flag, length int32
	handle                                  uintptr
	text                                    [512]byte
}

// operation is what a request asks for.
type operation int

const (
	sum operation = iota
	broadcast
	barrier
	end
)

// request is one call that all members make.
type request struct {
	op           operation
	data         unsafe.Pointer
	length, size int // elements and their bytes
	dtype        uintptr
	root         int
	by           *worker
	done         chan error
}

// queued is how many requests may wait for the thread.
const queued = 1024

func newWorker(lib *library) *worker {
	return &worker{lib: lib, requests: make(chan *request, queued), aborts: make(chan struct{}), ended: make(chan struct{})}
}

// start starts the thread and the library.
func (w *worker) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the library knows this thread
		err := w.initialise()
		if err == nil && w.members > 1 {
			par.Reserve()
		}
		started <- err
		if err == nil {
			w.serve()
		}
	}()
	return <-started
}

// funneled says that one thread makes all calls.
const funneled = 1 // MPI_THREAD_FUNNELED

func (w *worker) initialise() error {
	o := &w.out
	quietSignals()
	if err := w.call("MPI_Init_thread", w.lib.initThread, 0, 0, funneled, address(&o.provided)); err != nil {
		return err
	}
	if o.provided < funneled {
		return errors.New("mpi: the library is not made for programs with threads")
	}
	if err := w.call("MPI_Comm_set_errhandler", w.lib.setErrhandler, w.lib.world, w.lib.errorsReturn); err != nil {
		return err
	}
	if err := w.call("MPI_Comm_rank", w.lib.rank, w.lib.world, address(&o.number)); err != nil {
		return err
	}
	if err := w.call("MPI_Comm_size", w.lib.size, w.lib.world, address(&o.members)); err != nil {
		return err
	}
	w.number, w.members = int(o.number), int(o.members)
	return nil
}

// address is where the library writes a result; the worker is on the heap, where nothing
// moves.
func address[T any](x *T) uintptr { return uintptr(unsafe.Pointer(x)) }

// call makes one call and reports its failure in the library's words.
func (w *worker) call(name string, f uintptr, args ...uintptr) error {
	code, _, _ := purego.SyscallN(f, args...)
	if int32(code) == 0 {
		return nil
	}
	text := "error"
	if again, _, _ := purego.SyscallN(w.lib.errorText, code, address(&w.out.text), address(&w.out.length)); int32(again) == 0 {
		text = string(w.out.text[:min(int(w.out.length), len(w.out.text))])
	}
	return errors.Errorf("mpi: rank %d: %s: %s", w.number, name, text)
}

// begin hands a request to the thread.
func (w *worker) begin(r *request) *request {
	r.done, r.by = make(chan error, 1), w
	w.requests <- r
	return r
}

// Wait implements collective.Pending.
func (r *request) Wait() error {
	r.by.waiting.Add(1)
	defer r.by.waiting.Add(-1)
	return <-r.done
}

// serve carries out requests in their order.
func (w *worker) serve() {
	defer close(w.ended)
	for {
		select {
		case r := <-w.requests:
			r.done <- w.carryOut(r)
			if r.op == end {
				return
			}
		case <-w.aborts:
			w.abort()
			return
		}
	}
}

func (w *worker) carryOut(r *request) error {
	if r.op == end {
		return w.call("MPI_Finalize", w.lib.finalize)
	}
	if err := w.meet(); err != nil || r.op == barrier {
		return err
	}
	for done := 0; done < r.length; {
		n := min(r.length-done, pieceBytes/r.size)
		data := uintptr(unsafe.Add(r.data, done*r.size))
		var err error
		if r.op == sum {
			err = w.call("MPI_Allreduce", w.lib.allreduce, w.lib.inPlace, data, uintptr(n), r.dtype, w.lib.sum, w.lib.world)
		} else {
			err = w.call("MPI_Bcast", w.lib.bcast, data, uintptr(n), r.dtype, uintptr(r.root), w.lib.world)
		}
		if err != nil {
			return err
		}
		done += n
	}
	runtime.KeepAlive(r)
	return nil
}

const (
	// pieceBytes are those of one call. A library takes new memory for each sum of an array
	// that is larger than some 32 MB; what one of 4 MiB needs it keeps, in the caches.
	pieceBytes = 4 << 20
	// nap is how long the thread sleeps between two looks at whether all members have
	// come, while the program computes.
	nap = 50 * time.Microsecond
)

// meet returns when all members are at the same request. A blocking call would keep a core
// busy until then.
func (w *worker) meet() error {
	o := &w.out
	if err := w.call("MPI_Ibarrier", w.lib.ibarrier, w.lib.world, address(&o.handle)); err != nil {
		return err
	}
	for {
		if err := w.call("MPI_Test", w.lib.test, address(&o.handle), address(&o.flag), w.lib.statusIgnore); err != nil {
			return err
		}
		if o.flag != 0 {
			return nil
		}
		select {
		case <-w.aborts:
			w.abort()
			return errors.New("mpi: aborted")
		default:
		}
		if w.waiting.Load() > 0 {
			yield()
		} else {
			time.Sleep(nap)
		}
	}
}

// abort ends all processes.
func (w *worker) abort() {
	purego.SyscallN(w.lib.abort, w.lib.world, 1)
}
