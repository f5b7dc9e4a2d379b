package simd

import (
	"slices"
	"testing"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		value string
		best  Level
		want  Level
		ok    bool
	}{
		{"", AVX512, AVX512, true}, {"auto", AVX2, AVX2, true}, {" off ", AVX512, Off, true}, {"avx2", AVX512, AVX2, true},
		{"avx512", AVX512, AVX512, true}, {"avx512", AVX2, AVX2, false}, {"avx2", Off, Off, false}, {"neon", AVX2, AVX2, false}, {"AVX2", AVX2, AVX2, false},
	} {
		if l, err := choose(c.value, c.best); l != c.want || (err == nil) != c.ok {
			t.Errorf("%q where the best is %v: %v, %v", c.value, c.best, l, err)
		}
	}
}

func TestSet(t *testing.T) {
	before := level
	for _, l := range Levels() {
		if was := Set(l); level != l || !slices.Contains(Levels(), was) {
			t.Errorf("%v after %v", level, was)
		}
	}
	if Set(before); level != before {
		t.Errorf("%v, want %v", level, before)
	}
}
