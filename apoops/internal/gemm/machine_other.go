//go:build !amd64

package gemm

// Fast reports whether the routines in assembly are used.
func Fast() bool { return false }

// Instructions names the vector instructions in use, or Go.
func Instructions() string { return "Go" }

func current[T Float]() *machine[T] { return of[T](&portable32, &portable64) }
