//go:build unix

package mpi

import "github.com/ebitengine/purego"

// openLibrary lets the library's own parts, which it opens later, see its symbols.
func openLibrary(name string) (uintptr, error) {
	return purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
}

func symbol(lib uintptr, name string) (uintptr, error) { return purego.Dlsym(lib, name) }
