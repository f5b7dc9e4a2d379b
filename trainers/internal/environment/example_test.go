package environment_test

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/trainers/internal/environment"
)

// A checkpoint of another version of Go gives a note, one of this process none.
func ExampleNotes() {
	fmt.Println(len(environment.Notes(environment.Of())))
	for _, note := range environment.Notes(map[string]string{"Go": "go0.9"}) {
		fmt.Println(strings.HasPrefix(note, "checkpoint: written with Go go0.9, this process has go1."))
	}
	// Output:
	// 0
	// true
}
