package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func appendTo(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func recordSteps(t *testing.T, r Recorder, steps ...int) {
	t.Helper()
	for _, n := range steps {
		if err := r.Record(Stats{Step: n, Rates: []float64{0.5}}); err != nil {
			t.Fatal(err)
		}
	}
}

// firstColumn has the first cell of each line.
func firstColumn(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		cell, _, _ := strings.Cut(line, ",")
		all = append(all, cell)
	}
	return strings.Join(all, " ")
}

func TestCSVGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	for part := range 3 {
		c := NewCSV(appendTo(t, path))
		recordSteps(t, c, 2*part, 2*part+1)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := firstColumn(t, path); got != "step 0 1 2 3 4 5" {
		t.Errorf("got %q", got)
	}

	c := NewCSV(appendTo(t, path))
	if err := c.Record(Stats{Step: 6, Rates: []float64{1, 2}}); err == nil || !strings.Contains(err.Error(), "other columns") {
		t.Errorf("another number of rates: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := firstColumn(t, path); got != "step 0 1 2 3 4 5" {
		t.Errorf("got %q", got)
	}
}

// What is in front of a table is no header.
func TestCSVBehindOtherText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	for part := range 2 {
		f := appendTo(t, path)
		if part == 0 {
			if _, err := f.WriteString("# run 7\n"); err != nil {
				t.Fatal(err)
			}
		}
		c := NewCSV(f)
		recordSteps(t, c, part)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := firstColumn(t, path); got != "# run 7\n step 0 1" {
		t.Errorf("got %q", got)
	}
}

// A table of an older version goes on with its columns.
func TestCSVWithFewerColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	if err := os.WriteFile(path, []byte("step,loss,rate_0,q\n0,1,0.5,\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c := NewCSV(appendTo(t, path))
	if err := c.Record(Stats{Step: 1, Loss: 2, Rates: []float64{0.25}, Meta: &MetaStats{Q: 3}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "step,loss,rate_0,q\n0,1,0.5,\n1,2,0.25,3\n" {
		t.Errorf("got %q", text)
	}
}

// After a kill the log is ahead of the checkpoint and ends in half a line.
func TestOpenLogs(t *testing.T) {
	dir := t.TempDir()
	table, lines := filepath.Join(dir, "log.csv"), filepath.Join(dir, "log.jsonl")
	open := func(steps, want int) (*CSV, *JSONL) {
		t.Helper()
		c, rows, err := OpenCSV(table, steps)
		if err != nil || rows != want {
			t.Fatalf("%d rows, %v, want %d", rows, err, want)
		}
		j, n, err := OpenJSONL(lines, steps)
		if err != nil || n != want {
			t.Fatalf("%d lines, %v, want %d", n, err, want)
		}
		return c, j
	}
	check := func(want string) {
		t.Helper()
		if got := firstColumn(t, table); got != "step "+want {
			t.Errorf("got %q, want %q", got, want)
		}
		var all []string
		for _, n := range strings.Fields(want) {
			all = append(all, `{"step":`+n)
		}
		if got := firstColumn(t, lines); got != strings.Join(all, " ") {
			t.Errorf("got %q, want %q", got, all)
		}
	}
	c, j := open(0, 0)
	recordSteps(t, Multi(c, j), 0, 1, 2, 3)
	for _, r := range []interface{ Close() error }{c, j} {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for path, torn := range map[string]string{table: "4,0.5,0.", lines: `{"step":4,"lo`} {
		f := appendTo(t, path)
		if _, err := f.WriteString(torn); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	c, j = open(2, 2)
	recordSteps(t, Multi(c, j), 2, 3, 4)
	for _, r := range []interface{ Flush() error }{c, j} {
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	check("0 1 2 3 4")
	c.Close()
	j.Close()
	c, j = open(0, 0) // a new run
	recordSteps(t, Multi(c, j), 0)
	c.Close()
	j.Close()
	check("0")

	if err := os.WriteFile(table, []byte("step,loss\nx,1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenCSV(table, 3); err == nil || !strings.Contains(err.Error(), table+": line 2") {
		t.Errorf("not a step: %v", err)
	}
}
