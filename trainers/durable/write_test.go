package durable

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/errors"
)

func mustWrite(t *testing.T, path, content string) {
	t.Helper()
	if err := WriteFile(path, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s has %d bytes %.40q, %v, want %.40q", path, len(got), got, err, want)
	}
}

func leftovers(t *testing.T, folder string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(folder, "*"+infix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, content := range []string{"first", "", "longer than the first", "short"} {
		mustWrite(t, path, content)
		wantContent(t, path, content)
	}
	if left := leftovers(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
}

// The old file is never touched: a second name for it keeps the old content.
func TestWriteIsNeverInPlace(t *testing.T) {
	dir := t.TempDir()
	path, second := filepath.Join(dir, "file"), filepath.Join(dir, "second")
	mustWrite(t, path, "old")
	if err := os.Link(path, second); err != nil {
		t.Skipf("no hard links: %v", err)
	}
	mustWrite(t, path, "new")
	wantContent(t, path, "new")
	wantContent(t, second, "old")
}

func TestWriteLeavesSameContentAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	long := string(bytes.Repeat([]byte("0123456789"), 20_000))
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, c := range []struct {
		before, after string
		written       bool
	}{
		{long, long, false}, {"", "", false}, {long, long[1:] + "x", true}, {long, long + "x", true}, {long, long[:len(long)-1], true}, {"a", "", true},
	} {
		mustWrite(t, path, c.before)
		if err := os.Chtimes(path, past, past); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, path, c.after)
		wantContent(t, path, c.after)
		if info, err := os.Stat(path); err != nil || info.ModTime().Equal(past) == c.written {
			t.Errorf("%d bytes over %d: time of the last write %v, want a write: %v", len(c.after), len(c.before), info.ModTime(), c.written)
		}
	}
}

func TestWriteFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"real/deep", "links"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, l := range []struct{ to, link string }{
		{at("real/file"), "links/absolute"}, {"../real/file", "links/relative"}, {"relative", "links/link"},
		{at("real/deep"), "folder"}, {"../file", "real/deep/up"}, {"../real/none", "links/dangling"},
	} {
		if err := os.Symlink(l.to, at(l.link)); err != nil {
			t.Skipf("no symbolic links: %v", err)
		}
	}
	for i, link := range []string{"links/absolute", "links/relative", "links/link", "folder/up", "links/dangling"} {
		content := strconv.Itoa(i)
		mustWrite(t, at(link), content)
		wantContent(t, at(link), content)
		if info, err := os.Lstat(at(link)); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v", link, err)
		}
		want := "real/file"
		if link == "links/dangling" {
			want = "real/none"
		}
		wantContent(t, at(want), content)
	}
	if err := os.Symlink("loop", at("loop")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(at("loop"), nil); err == nil {
		t.Error("a link to itself: no error")
	}
}

func TestWriteKeepsPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permissions")
	}
	path := filepath.Join(t.TempDir(), "file")
	mustWrite(t, path, "old")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, path, "new")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestWriteToDevice(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no device files")
	}
	mustWrite(t, os.DevNull, "gone")
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%s is a file now: %v", os.DevNull, err)
	}
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	if err := WriteFile("", nil); err == nil {
		t.Error("no name: no error")
	}
	if err := WriteFile(dir, nil); err == nil {
		t.Error("a folder: no error")
	}
	if err := WriteFile(filepath.Join(dir, "none", "file"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
	path := filepath.Join(dir, "file")
	mustWrite(t, path, "old")
	for n := range 4 {
		err := Write(path, func(w io.Writer) error {
			_, _ = w.Write([]byte("new content")[:n])
			return syscall.ENOSPC
		})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		wantContent(t, path, "old")
	}
	if left := leftovers(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
}

// killEnv tells the child process of the next test what to write and where to die.
const killEnv = "APO_TEST_KILL_AT"

// Writers are killed after each byte. The file is always the old one, and the
// next writer removes what they left.
func TestWriteKilledAtEveryByte(t *testing.T) {
	if order := os.Getenv(killEnv); order != "" {
		dieWriting(t, order)
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGKILL")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	mustWrite(t, path, "old content")
	for n := range 10 {
		child := exec.Command(os.Args[0], "-test.run=^TestWriteKilledAtEveryByte$")
		child.Env = append(os.Environ(), killEnv+"="+fmt.Sprintf("%d %s", n, path))
		if err := child.Run(); err == nil || child.ProcessState.Exited() {
			t.Fatalf("byte %d: the child was not killed: %v", n, err)
		}
		wantContent(t, path, "old content")
		if left := leftovers(t, dir); len(left) != 1 {
			t.Fatalf("byte %d: left %v", n, left)
		}
	}
	mustWrite(t, path, "new content")
	if left := leftovers(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
}

func dieWriting(t *testing.T, order string) {
	var n int
	var path string
	if _, err := fmt.Sscanf(order, "%d %s", &n, &path); err != nil {
		t.Fatal(err)
	}
	calls := 0
	err := Write(path, func(w io.Writer) error {
		if calls++; calls == 1 {
			return errDiffers // of the comparison with the old content
		}
		if _, err := w.Write([]byte("new content")[:n]); err != nil {
			return err
		}
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		time.Sleep(time.Minute)
		return err
	})
	t.Fatalf("alive: %v", err)
}
