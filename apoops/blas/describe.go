package blas

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/ebitengine/purego"
)

// Describe names what the bits of results depend on: the library in use with its
// version and the kind of processor that it works for, such as
//
//	openblas (libopenblas.so.0) 0.3.21 Zen, large products apo (AVX-512)
//	apo (AVX-512), gonum v0.17.0
//
// and the number of the machine's cores where the library's own threads cannot be
// switched off. Equal descriptions mean equal bits.
func Describe() string { return selected().describe() }

func (c choice) describe() string {
	if _, ok := c.impl.(own); ok {
		return strings.TrimSpace(c.library + ", gonum " + moduleVersion("gonum.org/v1/gonum"))
	}
	f, ok := c.impl.(foreign)
	if !ok {
		return strings.TrimSpace(c.library + " " + moduleVersion("gonum.org/v1/gonum"))
	}
	s := strings.TrimSpace(c.library + " " + f.version)
	if !f.split {
		s += fmt.Sprintf(" on %d cores", runtime.NumCPU())
	}
	return s + c.large
}

// versionOf is what an opened library says of its version and its processor, empty
// where it says nothing.
func versionOf(lib uintptr) string {
	if config := text(lib, "openblas_get_config"); config != "" {
		// OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Zen MAX_THREADS=64
		version, _, _ := strings.Cut(strings.TrimPrefix(config, "OpenBLAS "), " ")
		return version + " " + coreOf(lib)
	}
	if version := text(lib, "bli_info_get_version_str"); version != "" {
		return version + " " + architecture(lib)
	}
	if address, err := symbol(lib, "MKL_Get_Version_String"); err == nil {
		var get func(buf *byte, length int32)
		purego.RegisterFunc(&get, address)
		buf := make([]byte, 200)
		get(&buf[0], int32(len(buf)-1))
		s, _, _ := strings.Cut(string(buf), "\x00")
		return strings.TrimSpace(s)
	}
	return ""
}

// text is what a function without arguments returns, empty where it is missing.
func text(lib uintptr, name string) string {
	address, err := symbol(lib, name)
	if err != nil {
		return ""
	}
	var get func() string
	purego.RegisterFunc(&get, address)
	return strings.TrimSpace(get())
}

// architecture is the processor that BLIS chose its kernels for.
func architecture(lib uintptr) string {
	query, err := symbol(lib, "bli_arch_query_id")
	if err != nil {
		return ""
	}
	name, err := symbol(lib, "bli_arch_string")
	if err != nil {
		return ""
	}
	var id func() int32
	var of func(int32) string
	purego.RegisterFunc(&id, query)
	purego.RegisterFunc(&of, name)
	return of(id())
}

// moduleVersion is the version of a module that the program was built with, empty
// where the program does not know.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}
