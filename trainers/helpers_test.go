package trainers

import (
	"io"
	"syscall"

	"gorgonia.org/tensor"
)

// denseOf makes a tensor of the given shape.
func denseOf[T any](backing []T, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))
}

// failingWriter accepts n bytes, then fails like a full disk.
type failingWriter struct {
	w io.Writer
	n int
}

func (f *failingWriter) Write(b []byte) (int, error) {
	if len(b) <= f.n {
		f.n -= len(b)
		return f.w.Write(b)
	}
	n, _ := f.w.Write(b[:f.n])
	f.n = 0
	return n, syscall.ENOSPC
}
