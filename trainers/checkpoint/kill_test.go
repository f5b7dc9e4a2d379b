package checkpoint

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// numbered is a snapshot that has the number n everywhere.
func numbered(n int) *Snapshot {
	values := make([]int, 1<<15)
	for i := range values {
		values[i] = n
	}
	return &Snapshot{
		Meta:    json.RawMessage(strconv.Itoa(n)),
		Tensors: []NamedTensor{{Name: "a", Value: denseOf(values[:1<<14], 1<<14)}, {Name: "b", Value: denseOf(values[1<<14:], 1<<7, 1<<7)}},
	}
}

// numberOf reads a numbered snapshot and checks that all of it is there.
func numberOf(t *testing.T, path string) int {
	t.Helper()
	s, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(string(s.Meta))
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, s.Tensors, numbered(n).Tensors)
	return n
}

// endlessWriter names, for the child process of the next test, the checkpoint
// it has to overwrite until it is killed.
const endlessWriter = "APO_TEST_ENDLESS_WRITER"

func TestSnapshotSurvivesKill(t *testing.T) {
	if path := os.Getenv(endlessWriter); path != "" {
		n := numberOf(t, path) + 1
		fmt.Println("writing")
		for start := time.Now(); time.Since(start) < time.Minute; n++ { // not forever, should the parent die
			if err := Write(path, numbered(n)); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGKILL")
	}

	self, err := os.Executable()
	if err != nil {
		t.Skipf("cannot find the test binary: %v", err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "run.ckpt")
	if err := Write(path, numbered(0)); err != nil {
		t.Fatal(err)
	}
	last := 0
	for round := range 20 {
		child := exec.Command(self, "-test.run=^TestSnapshotSurvivesKill$")
		child.Env = append(os.Environ(), endlessWriter+"="+path)
		begins, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := begins.Read(make([]byte, 1)); err != nil {
			t.Fatalf("round %d: the writer does not begin: %v", round, err)
		}
		time.Sleep(time.Duration(20+rand.IntN(80)) * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); child.ProcessState.Exited() {
			t.Fatalf("round %d: the writer ended by itself: %v", round, err)
		}
		n := numberOf(t, path)
		if n < last {
			t.Fatalf("round %d: checkpoint %d after %d", round, n, last)
		}
		last = n
	}
	left := tempFiles(t, dir)
	t.Logf("%d checkpoints, %d temporary files left by 20 kills", last, len(left))
	if last == 0 {
		t.Error("no writer came to write a checkpoint")
	}

	if err := Write(path, numbered(last+1)); err != nil {
		t.Fatal(err)
	}
	if left := tempFiles(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
}

// Two writers of the same path must not mix their bytes.
func TestWriteSnapshotConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.ckpt")
	done := make(chan error)
	for writer := range 2 {
		go func() {
			var err error
			for n := 0; n < 10 && err == nil; n++ {
				err = Write(path, numbered(10*writer+n))
			}
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	numberOf(t, path)
}
