package parity

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFixtures replays all files of the folder that APO_FIXTURES names.
func TestFixtures(t *testing.T) {
	dir := os.Getenv("APO_FIXTURES")
	if dir == "" {
		t.Skip("set APO_FIXTURES to a folder of parity fixtures to replay them")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in APO_FIXTURES=%s (%v)", dir, err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			wantCode, want := 0, "  pass  "
			if !supported(t, path) {
				wantCode, want = 3, "  unsupported: "
			}
			code, stdout, stderr := command(path)
			if code != wantCode || !strings.Contains(stdout, want) {
				t.Errorf("exit code %d, not %d: %s%s", code, wantCode, stdout, stderr)
			}
		})
	}
}

// supported tells from a file's model whether it can be replayed.
func supported(t *testing.T, path string) bool {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hideNonFinite(data)
	var file struct{ Model struct{ Kind string } }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Model.Kind == "mlp"
}
