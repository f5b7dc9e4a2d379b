// Package exampletest has what the tests of the example programs share.
package exampletest

import (
	"bytes"
	"encoding/csv"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
)

// Table reads a CSV file, its header included.
func Table(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return rows
}

// Untimed are the rows of a table of steps, each as a line, without the columns of times.
func Untimed(t *testing.T, path string) (lines []string) {
	t.Helper()
	table := Table(t, path)
	for _, row := range table {
		var kept []string
		for i, cell := range row {
			if !strings.HasSuffix(table[0][i], "_seconds") {
				kept = append(kept, cell)
			}
		}
		lines = append(lines, strings.Join(kept, ","))
	}
	return lines
}

// CheckPicture fails the test if the file is not a whole PNG picture.
func CheckPicture(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

// Canceller is a writer that calls Cancel when the text appears.
type Canceller struct {
	Text   string
	Cancel func()
}

// Write implements io.Writer.
func (c Canceller) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(c.Text)) {
		c.Cancel()
	}
	return len(p), nil
}

// SavesWhenStopped starts the test program with an addition to its environment,
// which must make it the example, and sends it a signal once the text has appeared
// on its standard error. It fails the test if the example does not end with
// cli.Interrupted and name -resume.
func SavesWhenStopped(t *testing.T, signal os.Signal, env, text string, args ...string) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), env)
	var stdout bytes.Buffer
	c.Stdout = &stdout
	pipe, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	sent := false
	for buffer := make([]byte, 1000); ; {
		n, err := pipe.Read(buffer)
		stderr.Write(buffer[:n])
		if err != nil {
			break
		}
		if !sent && strings.Contains(stderr.String(), text) {
			sent = true
			if err := c.Process.Signal(signal); err != nil {
				t.Error(err)
			}
		}
	}
	_ = c.Wait() // the exit code is checked
	if code := c.ProcessState.ExitCode(); code != cli.Interrupted || !strings.Contains(stdout.String(), "-resume") {
		t.Fatalf("%v: exit code %d\n%s%s", signal, code, &stdout, &stderr)
	}
}

// Hold gives each file of the folder a second name in a new folder, where a file
// that is written in place shows. It returns a check that none was, but for these,
// which may have become longer.
func Hold(t *testing.T, folder string, logs ...string) (check func()) {
	t.Helper()
	held := t.TempDir()
	old := make(map[string][]byte)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if old[e.Name()], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(path, filepath.Join(held, e.Name())); err != nil {
			t.Skipf("no hard links: %v", err)
		}
	}
	return func() {
		t.Helper()
		for name, before := range old {
			now, err := os.ReadFile(filepath.Join(held, name))
			if err != nil {
				t.Fatal(err)
			}
			if len(now) > len(before) && strings.Contains(strings.Join(logs, " "), name) {
				now = now[:len(before)]
			}
			if !bytes.Equal(now, before) {
				t.Errorf("%s was written in place", name)
			}
		}
	}
}
