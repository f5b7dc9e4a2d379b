// Package exampletest has what the tests of the example programs share.
package exampletest

import (
	"bytes"
	"encoding/csv"
	"image/png"
	"os"
	"testing"
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
