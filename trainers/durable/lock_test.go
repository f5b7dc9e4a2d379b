package durable

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

const lockEnv = "APO_TEST_LOCK"

func TestLockFolder(t *testing.T) {
	dir := t.TempDir()
	makeFiles(t, dir, "a.tmp-1")
	l, err := LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if left := leftovers(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
	for range 2 {
		if _, err := LockFolder(dir); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
			t.Errorf("a second lock: %v", err)
		}
	}
	if runtime.GOOS != "windows" {
		if _, err := LockFolder(dir); !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
			t.Errorf("a second lock: %v", err)
		}
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); left != nil {
		t.Errorf("Unlock left %v", left)
	}
	l, err = LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := LockFolder(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

// The lock of a process that is killed is free.
func TestLockIsReleasedByKill(t *testing.T) {
	if dir := os.Getenv(lockEnv); dir != "" {
		if _, err := LockFolder(dir); err != nil {
			t.Fatal(err)
		}
		fmt.Println("locked")
		select {}
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGKILL")
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestLockIsReleasedByKill$")
	child.Env = append(os.Environ(), lockEnv+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if _, err := LockFolder(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("while the child lives: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	l, err := LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
}
