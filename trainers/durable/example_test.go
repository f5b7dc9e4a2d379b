package durable_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// Whatever happens during the second write, the file has one of the two contents.
func ExampleWriteFile() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "settings.json")
	for _, text := range []string{`{"k": 10}`, `{"k": 20}`} {
		if err := durable.WriteFile(path, []byte(text)); err != nil {
			log.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(content))
	// Output: {"k": 20}
}

// With the communicator of package mpi in place of Single all processes stop after the same
// step.
func ExampleTogether() {
	asked, release := durable.UntilStopped(context.Background())
	defer release()
	all := durable.NewTogether(asked, collective.Single{})
	for step := range 3 {
		if _, err := all.Next(false); err != nil {
			fmt.Println("saves and ends:", err)
			return
		}
		fmt.Println("step", step)
	}
	// Output:
	// step 0
	// step 1
	// step 2
}

// A second run in the same folder is told that it is taken.
func ExampleLockFolder() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	lock, err := durable.LockFolder(folder)
	if err != nil {
		log.Fatal(err)
	}
	_, err = durable.LockFolder(folder)
	fmt.Println(errors.Is(err, durable.ErrLocked))
	if err := lock.Unlock(); err != nil {
		log.Fatal(err)
	}
	// Output: true
}

// A log that goes on behind its second line. What a kill has left of a last line is cut off
// by itself.
func ExampleOpenLog() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "steps.log")
	lines, err := durable.CreateLog(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintln(lines, "step 0")
	fmt.Fprintln(lines, "step 1")
	fmt.Fprintln(lines, "step 2")
	if err := lines.Close(); err != nil {
		log.Fatal(err)
	}

	lines, kept, err := durable.OpenLog(path, func(number int, line []byte) (bool, error) { return number < 2, nil })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(kept, "lines stay")
	if err := lines.Close(); err != nil {
		log.Fatal(err)
	}
	// Output: 2 lines stay
}

// A write that fails leaves the file as it was. RemoveLeftovers is for those that were
// killed.
func ExampleWrite() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	durable.RemoveLeftovers(folder)
	path := filepath.Join(folder, "weights")
	for _, fails := range []bool{false, true} {
		err := durable.Write(path, func(w io.Writer) error {
			if fails {
				return errors.New("the disk is full")
			}
			_, err := io.WriteString(w, "0.1 0.2")
			return err
		})
		content, readErr := os.ReadFile(path)
		fmt.Println(string(content), err, readErr)
	}
	// Output:
	// 0.1 0.2 <nil> <nil>
	// 0.1 0.2 the disk is full <nil>
}
