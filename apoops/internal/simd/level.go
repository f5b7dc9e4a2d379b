package simd

import (
	"os"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// Env is the environment variable that forces a Level: off, avx2 or avx512. Empty or
// "auto" takes the best that the processor has.
const Env = "APO_SIMD"

// Level is a set of vector instructions.
type Level int

// The levels, from the least on.
const (
	Off    Level = iota // Go alone
	AVX2                // vectors of 256 bits
	AVX512              // vectors of 512 bits: AVX-512 F, BW, DQ and VL
)

var names = []string{Off: "off", AVX2: "avx2", AVX512: "avx512"}

func (l Level) String() string { return names[l] }

// level is what the routines go by.
var level, levelErr = choose(os.Getenv(Env), best())

// choose is the level of a value of Env; a wrong one leaves the best.
func choose(want string, best Level) (Level, error) {
	want = strings.TrimSpace(want)
	if want == "" || want == "auto" {
		return best, nil
	}
	l := Level(slices.Index(names, want))
	switch {
	case l < 0:
		return best, errors.Errorf("simd: %s=%s is none of off, avx2, avx512", Env, want)
	case l > best:
		return best, errors.Errorf("simd: %s=%s, but the processor has no more than %v", Env, want, best)
	}
	return l, nil
}

// Check returns an error if Env has an unknown value or names instructions that the
// processor does not have. The best that it has are used then.
func Check() error { return levelErr }

// Levels are all that the processor has.
func Levels() []Level {
	all := []Level{Off}
	for l := Off + 1; l <= best(); l++ {
		all = append(all, l)
	}
	return all
}

// Current is the level that routines of other packages go by too.
func Current() Level { return level }

// Set changes the level to one of Levels and returns that before: for tests and
// measurements, while no routine runs.
func Set(l Level) (before Level) {
	before, level = level, l
	return before
}
