package trainers

import (
	"slices"
	"testing"
)

func TestEnvironmentNotes(t *testing.T) {
	now := environment()
	if now["BLAS"] == "" {
		t.Fatalf("no BLAS in %v", now)
	}
	for _, same := range []map[string]string{nil, now} {
		if notes := environmentNotes(same); notes != nil {
			t.Errorf("for %v: %q", same, notes)
		}
	}
	want := []string{"checkpoint: written with BLAS abacus 1.0, this process has " + now["BLAS"] + ": the last bits may differ"}
	if notes := environmentNotes(map[string]string{"BLAS": "abacus 1.0"}); !slices.Equal(notes, want) {
		t.Errorf("got %q", notes)
	}
}
