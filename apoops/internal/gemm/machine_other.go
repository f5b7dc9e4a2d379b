//go:build !amd64

package gemm

// Fast reports whether the routines in assembly are used.
func Fast() bool { return false }

func current[T Float]() *machine[T] { return of[T](&portable32, &portable64) }
