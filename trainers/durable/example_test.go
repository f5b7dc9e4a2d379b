package durable_test

import (
	"context"
	"fmt"
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
