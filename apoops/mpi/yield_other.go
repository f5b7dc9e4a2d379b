//go:build !linux

package mpi

import "runtime"

// yield lets another thread of this core run.
func yield() { runtime.Gosched() }
