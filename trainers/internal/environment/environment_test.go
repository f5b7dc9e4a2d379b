package environment

import (
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/dnn"
)

func TestEnvironmentNotes(t *testing.T) {
	now := Of()
	for _, name := range []string{"BLAS", "Go"} {
		if now[name] == "" {
			t.Fatalf("no %s in %v", name, now)
		}
	}
	for _, same := range []map[string]string{nil, now} {
		if notes := Notes(same); notes != nil {
			t.Errorf("for %v: %q", same, notes)
		}
	}
	want := []string{"checkpoint: written with BLAS abacus 1.0, this process has " + now["BLAS"] + ": the last bits may differ"}
	if notes := Notes(map[string]string{"BLAS": "abacus 1.0"}); !slices.Equal(notes, want) {
		t.Errorf("got %q", notes)
	}
	if notes := Notes(map[string]string{oneDNN: "9.9"}); len(notes) != 1 || !strings.Contains(notes[0], "oneDNN 9.9, this process has "+dnn.Describe()) {
		t.Errorf("got %q", notes)
	}
}
