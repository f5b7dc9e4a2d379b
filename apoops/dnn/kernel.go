package dnn

import (
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/apo-gorgonia/apo/apoops/internal/openmp"
)

// kernel is a compiled primitive of oneDNN. It may run on several cores at
// once.
type kernel struct {
	primitive uintptr
	slots     []slot
}

// slot is an argument of a kernel: its index, layout and length in memory. An empty
// slot means none, such as scratch memory that is not needed.
type slot struct {
	index  int32
	layout *layout
	bytes  int
}

// of is the layout of an argument.
func (k *kernel) of(index int32) *layout { return k.slot(index).layout }

func (k *kernel) slot(index int32) slot {
	for _, s := range k.slots {
		if s.index == index {
			return s
		}
	}
	return slot{}
}

// scratch is the scratch memory it needs, in bytes.
func (k *kernel) scratch() int {
	if k == nil {
		return 0
	}
	return k.slot(argScratchpad).bytes
}

// source is the memory of what a copy is made from.
func (k *kernel) source() int {
	if k == nil {
		return 0
	}
	return align(k.slot(argSrc).bytes)
}

// binding is a kernel with memory objects of its own, for one core at a time.
type binding struct {
	primitive uintptr
	args      []argument
	scratch   int // bytes
}

// worker is what one core needs to run kernels: a stream and the arguments of a
// call, which are on the heap so that the library can point to them.
type worker struct {
	lib    *library
	stream uintptr
	args   [4]uintptr
	guard  openmp.Guard
}

// single makes the calls of the running goroutine single-threaded until restore:
// a piece of work then runs on the core that called for it, and gives the same
// bits whatever the number of cores.
func (w *worker) single() { w.guard.Enter(w.lib.threads) }

// restore ends what single began.
func (w *worker) restore() { w.guard.Leave(w.lib.threads) }

// run runs a kernel on these addresses, one for each argument but the scratch memory,
// which is the front of the block.
func (w *worker) run(b *binding, block []byte, addresses ...unsafe.Pointer) error {
	for i, p := range addresses {
		if err := w.point(b.args[i], p); err != nil {
			return err
		}
	}
	if err := w.point(b.args[len(addresses)], address(block[:b.scratch])); err != nil {
		return err
	}
	w.args = [4]uintptr{b.primitive, w.stream, uintptr(len(b.args)), uintptr(unsafe.Pointer(&b.args[0]))}
	status, _, _ := purego.SyscallN(w.lib.execute, w.args[:]...)
	return failure("execution", int32(status))
}

// point has an argument lie at p.
func (w *worker) point(a argument, p unsafe.Pointer) error {
	w.args[0], w.args[1] = a.memory, uintptr(p)
	status, _, _ := purego.SyscallN(w.lib.setPointer, w.args[:2]...)
	return failure("memory", int32(status))
}
