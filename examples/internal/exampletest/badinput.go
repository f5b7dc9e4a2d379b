package exampletest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// BadInput is what a program is to refuse: with this exit code and a message that
// says all of the words.
type BadInput struct {
	Args []string
	Code int
	Says []string
}

// Flag is a BadInput for each of the values of a flag: wrong usage, and the message
// names the flag.
func Flag(name string, values ...string) []BadInput {
	var all []BadInput
	for _, v := range values {
		all = append(all, BadInput{[]string{"-" + name, v}, 2, []string{"-" + name}})
	}
	return all
}

// Program runs a program and returns its exit code.
type Program func(ctx context.Context, args []string, stdout, stderr io.Writer) int

// patience is how long a program may take to refuse its input.
const patience = 30 * time.Second

// Refuse fails the test where the program does not refuse an input as it should,
// panics, hangs, or changes what lies in the folder.
func Refuse(t *testing.T, p Program, folder string, all []BadInput) {
	t.Helper()
	before := Snapshot(t, folder)
	for _, in := range all {
		code, stderr := p.call(t, in.Args)
		if code != in.Code {
			t.Errorf("%.200q: exit code %d, want %d: %s", in.Args, code, in.Code, stderr)
		}
		for _, text := range in.Says {
			if !strings.Contains(stderr, text) {
				t.Errorf("%.200q: the message does not say %q: %s", in.Args, text, stderr)
			}
		}
		after := Snapshot(t, folder)
		for name, content := range before {
			if after[name] != content {
				t.Errorf("%.200q: changed %s", in.Args, name)
			}
		}
		for name := range after {
			if _, ok := before[name]; !ok {
				t.Errorf("%.200q: left %s behind", in.Args, name)
			}
		}
	}
}

// call runs the program; a panic is an exit code of its own.
func (p Program) call(t *testing.T, args []string) (code int, message string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stderr bytes.Buffer
	done := make(chan int, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				fmt.Fprintf(&stderr, "panic: %v\n%s", r, debug.Stack())
				done <- -1
			}
		}()
		done <- p(ctx, args, io.Discard, &stderr)
	}()
	select {
	case code = <-done:
		return code, stderr.String()
	case <-time.After(patience):
		t.Fatalf("%.200q: still runs after %v", args, patience)
		return 0, ""
	}
}

// Snapshot is the content of all files and folders below a folder, by their paths.
func Snapshot(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[path] = "folder"
			return err
		}
		content, err := os.ReadFile(path)
		all[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
