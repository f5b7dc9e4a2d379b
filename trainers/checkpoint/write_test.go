package checkpoint

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// failingWriter accepts n bytes, then fails like a full disk.
type failingWriter struct {
	w io.Writer
	n int
}

func (f *failingWriter) Write(b []byte) (int, error) {
	if len(b) <= f.n {
		f.n -= len(b)
		return f.w.Write(b)
	}
	n, _ := f.w.Write(b[:f.n])
	f.n = 0
	return n, syscall.ENOSPC
}

func TestWriteSnapshotFailsMidway(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.ckpt")
	if err := Write(path, &Snapshot{Meta: json.RawMessage(`"old"`)}); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	next := &Snapshot{Meta: json.RawMessage(`"new"`), Tensors: everyKind()}
	size := len(encoded(t, next))
	for n := range size {
		err := durable.Write(path, func(w io.Writer) error { return next.encode(&failingWriter{w, n}) })
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
			t.Fatalf("after %d bytes the old file changed: %v", n, err)
		}
		if left := tempFiles(t, dir); left != nil {
			t.Fatalf("after %d bytes left %v", n, left)
		}
	}
}

func TestWriteSnapshotCannotRename(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.ckpt")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, &Snapshot{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("onto a directory: %v", err)
	}
	if left := tempFiles(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
	if err := Write(filepath.Join(dir, "none", "run.ckpt"), &Snapshot{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a missing directory: %v", err)
	}
	if err := Write("", &Snapshot{}); err == nil {
		t.Error("empty path: no error")
	}
}

func TestWriteSnapshotOntoFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a small tmpfs")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a tmpfs: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	path := filepath.Join(dir, "run.ckpt")
	small := &Snapshot{Tensors: everyKind()}
	if err := Write(path, small); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	large := []NamedTensor{{Name: "w", Value: denseOf(make([]float64, 1<<16), 1<<16)}}
	for name, err := range map[string]error{
		"checkpoint":  Write(path, &Snapshot{Tensors: large}),
		"safetensors": WriteSafetensors(path, large),
	} {
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the old file changed: %v", err)
	}
	if left := tempFiles(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
	if err := Write(path, small); err != nil {
		t.Errorf("after the disk was full: %v", err)
	}
}

func TestWriteSnapshotRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"run.ckpt.tmp-123", // of a killed writer
		"run.ckpt.tmp-x",   // not our name
		"run.ckpt.tmp-",
		"other.ckpt.tmp-123", // of another checkpoint
		"my run.ckpt.tmp-123",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, p := range []string{filepath.Join(dir, "run.ckpt"), "run.ckpt"} {
		if err := Write(p, &Snapshot{Meta: json.RawMessage(strconv.Quote(p))}); err != nil {
			t.Fatal(err)
		}
		if got := len(tempFiles(t, dir)); got != 4 {
			t.Errorf("%d temporary files, want 4: %v", got, tempFiles(t, dir))
		}
		if _, err := os.Stat("run.ckpt.tmp-123"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the abandoned file is still there: %v", err)
		}
		if err := os.WriteFile("run.ckpt.tmp-123", nil, 0o600); err != nil { // again, for the relative path
			t.Fatal(err)
		}
	}
}
