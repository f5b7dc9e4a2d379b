package durable_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

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
