package blas

import (
	"os"
	"slices"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// coreEnv is the variable by which OpenBLAS is told the kind of processor to work for.
const coreEnv = "OPENBLAS_CORETYPE"

// oldCores are the kinds of processors without AVX2 that OpenBLAS may take a processor of
// Intel for. One that is newer than the library counts as one of them: OpenBLAS 0.3.21
// takes an Emerald Rapids for a Prescott of 2004, whose products take five times as long.
var oldCores = []string{
	"Unknown", "Katmai", "Coppermine", "Northwood", "Prescott", "Banias", "Atom", "Core2", "Penryn", "Dunnington", "Nehalem", "Sandybridge",
}

// betterCore is the kind of processor that OpenBLAS should work for in the place of core
// on one with vectors of level l, empty where it chose well.
func betterCore(core string, l simd.Level) string {
	switch {
	case !slices.Contains(oldCores, core):
		return ""
	case l >= simd.AVX512:
		return "SkylakeX"
	case l >= simd.AVX2:
		return "Haswell"
	}
	return ""
}

// openSuited opens a library. An OpenBLAS that takes the processor for an older kind is
// closed and opened again for a better one, core, unless coreEnv is set. Where that does
// not help, as when something else in the process has the library open too, it is used as
// it is.
func openSuited(file string) (lib uintptr, core string, err error) {
	if lib, err = openLibrary(file); err != nil {
		return 0, "", err
	}
	if _, ok := os.LookupEnv(coreEnv); ok {
		return lib, "", nil
	}
	levels := simd.Levels()
	core = betterCore(text(lib, "openblas_get_corename"), levels[len(levels)-1])
	if core != "" {
		lib, err = reopen(lib, file, core)
	}
	return lib, core, err
}

// Environment are the variables, such as OPENBLAS_CORETYPE=SkylakeX, with which the
// OpenBLAS of another program works for the same kind of processor as this one's: none
// unless OpenBLAS takes the processor for an older kind when it is left alone.
func Environment() []string {
	if f, ok := selected().impl.(foreign); ok && f.core != "" {
		return []string{coreEnv + "=" + f.core}
	}
	return nil
}
