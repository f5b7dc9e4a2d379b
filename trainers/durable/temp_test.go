package durable

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func names(t *testing.T, folder string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func makeFiles(t *testing.T, folder string, names ...string) {
	t.Helper()
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(folder, n), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

var others = []string{"a.tmp-", "a.tmp-x", "a.tmp--1", ".tmp-5", "a.tmp", "a"}

// A write removes what killed writers of the same file left, at once.
func TestWriteRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	makeFiles(t, dir, others...)
	makeFiles(t, dir, "a.tmp-1", "a.tmp-22", "b.tmp-3", "my a.tmp-4")
	if err := os.Mkdir(filepath.Join(dir, "a.tmp-9"), 0o777); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(dir, "a"), "content")
	want := append([]string{"b.tmp-3", "my a.tmp-4", "a.tmp-9"}, others...)
	slices.Sort(want)
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	RemoveLeftovers(dir)
	want = append([]string{"a.tmp-9"}, others...)
	slices.Sort(want)
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("RemoveLeftovers left %v, want %v", got, want)
	}
}

// The temporary file of a writer that is alive stays.
func TestLiveWriterKeepsItsFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	err := Write(path, func(w io.Writer) error {
		if _, err := w.Write([]byte("outer")); err != nil {
			return err
		}
		RemoveLeftovers(dir)
		return WriteFile(path, []byte("inner"))
	})
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "outer")
	if left := leftovers(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
}
