package blas

import (
	"os"
	"slices"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// coreEnv is the variable by which OpenBLAS is told the kind of processor to work for.
const coreEnv = "OPENBLAS_CORETYPE"

// The kinds of processors that OpenBLAS may take a processor for that it does not know, as
// one is that is newer than the library: those without AVX2, and those without AVX-512.
// OpenBLAS 0.3.21 takes an Emerald Rapids for a Prescott of 2004, whose products take five
// times as long.
var (
	coresWithoutAVX2 = []string{
		"Unknown", "Katmai", "Coppermine", "Northwood", "Prescott", "Banias", "Atom", "Core2", "Penryn", "Dunnington", "Nehalem", "Sandybridge",
		"Athlon", "Opteron", "Opteron_SSE3", "Barcelona", "Nano", "Bobcat", "Bulldozer", "Piledriver", "Steamroller",
	}
	coresWithoutAVX512 = []string{"Haswell", "Zen", "Excavator"}
)

// betterCore is the kind of processor that OpenBLAS should work for in the place of core
// on one with vectors of level l, empty where it chose well. OpenBLAS itself takes a
// processor that it knows for a SkylakeX or newer if that has AVX-512, AMD's too.
func betterCore(core string, l simd.Level) string {
	old := slices.Contains(coresWithoutAVX2, core)
	switch {
	case l >= simd.AVX512 && (old || slices.Contains(coresWithoutAVX512, core)):
		return "SkylakeX"
	case l >= simd.AVX2 && old:
		return "Haswell"
	}
	return ""
}

// openSuited opens a library, OpenBLAS for the kind of processor that suits this one unless
// coreEnv is set. told is that kind, empty for what the library chose itself.
func openSuited(file string) (lib uintptr, told string, err error) {
	if lib, err = openLibrary(file); err != nil {
		return 0, "", err
	}
	if _, ok := os.LookupEnv(coreEnv); ok {
		return lib, "", nil
	}
	levels := simd.Levels()
	better := betterCore(coreOf(lib), levels[len(levels)-1])
	if better == "" {
		return lib, "", nil
	}
	return suit(lib, file, better)
}

// suit opens OpenBLAS again for another kind of processor. Where it was built without that,
// or something else in the process has it open too, it works for the kind that it chose.
func suit(lib uintptr, file, core string) (_ uintptr, told string, err error) {
	chosen := coreOf(lib)
	if lib, err = reopen(lib, file, core); err != nil {
		return 0, "", err
	}
	switch coreOf(lib) {
	case core:
		return lib, core, nil
	case chosen:
		return lib, "", nil
	}
	lib, err = reopen(lib, file, chosen)
	return lib, "", err
}

// coreOf is the kind of processor that OpenBLAS works for, empty for another library.
func coreOf(lib uintptr) string { return text(lib, "openblas_get_corename") }

// Environment are the variables, such as OPENBLAS_CORETYPE=SkylakeX, with which the
// OpenBLAS of another program works for the same kind of processor as this one's: none
// unless OpenBLAS takes the processor for an older kind when it is left alone.
func Environment() []string {
	if f, ok := selected().impl.(foreign); ok && f.core != "" {
		return []string{coreEnv + "=" + f.core}
	}
	return nil
}
