package durable

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

func TestLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	below := func(limit string) func(int, []byte) (bool, error) {
		return func(_ int, line []byte) (bool, error) { return string(line) < limit, nil }
	}
	for _, c := range []struct {
		name, before string
		keep         func(int, []byte) (bool, error)
		kept         int
		after        string
	}{
		{"empty", "", nil, 0, ""},
		{"whole", "a\nb\n", nil, 2, "a\nb\n"},
		{"torn", "a\nb\nc", nil, 2, "a\nb\n"},
		{"torn first", "a", nil, 0, ""},
		{"cut", "a\nb\nc\n", below("b"), 1, "a\n"},
		{"cut all", "b\nc\n", below("b"), 0, ""},
		{"order", "a\nc\na\n", below("b"), 1, "a\n"},
		{"long", strings.Repeat("a", 1<<20) + "\nb", nil, 1, strings.Repeat("a", 1<<20) + "\n"},
	} {
		if err := os.WriteFile(path, []byte(c.before), 0o666); err != nil {
			t.Fatal(err)
		}
		l, kept, err := OpenLog(path, c.keep)
		if err != nil || kept != c.kept {
			t.Fatalf("%s: %d lines, %v, want %d", c.name, kept, err, c.kept)
		}
		if _, err := l.Write([]byte("z\n")); err != nil {
			t.Fatal(err)
		}
		wantContent(t, path, c.after)
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, path, c.after+"z\n")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCreateLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for range 2 {
		l, err := CreateLog(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Write([]byte("line\n")); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, path, "line\n")
	}
}

func TestOpenLogErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	mustWrite(t, path, "a\nb\nc")
	_, _, err := OpenLog(path, func(i int, _ []byte) (bool, error) {
		if i == 1 {
			return false, errors.New("no number")
		}
		return true, nil
	})
	if err == nil || !strings.Contains(err.Error(), path+": line 2: no number") {
		t.Errorf("got %v", err)
	}
	wantContent(t, path, "a\nb\nc")
	if _, _, err := OpenLog(filepath.Dir(path), nil); err == nil {
		t.Error("a folder: no error")
	}
}

func TestLogIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := CreateLog(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateLog(path); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("opened twice: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = CreateLog(path); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
