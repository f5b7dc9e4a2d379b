package parity

import (
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
			if code, stdout, stderr := command(path); code != 0 || !strings.Contains(stdout, "  pass  ") {
				t.Errorf("exit code %d: %s%s", code, stdout, stderr)
			}
		})
	}
}
