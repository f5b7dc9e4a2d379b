package errortest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

func ExampleLacks() {
	err := errors.New("run.csv: line 3: 4 fields")
	fmt.Println(errortest.Lacks(err, "run.csv", "line 3") == "")
	fmt.Println(errortest.Lacks(err, "run.csv", "line 4"))
	fmt.Println(errortest.Lacks(nil, "line 4"))
	// Output:
	// true
	// the error "run.csv: line 3: 4 fields" does not say "line 4"
	// no error that says ["line 4"]
}

// failures counts what a test says instead of failing it.
type failures struct {
	testing.TB
	n int
}

func (f *failures) Helper()      {}
func (f *failures) Error(...any) { f.n++ }

func TestWant(t *testing.T) {
	f := &failures{}
	err := errors.New("a and b")
	errortest.Want(f, err, "a", "b")
	errortest.Want(f, err)
	if f.n != 0 {
		t.Errorf("%d failures of an error with all parts", f.n)
	}
	errortest.Want(f, err, "a", "c")
	errortest.Want(f, nil)
	if f.n != 2 {
		t.Errorf("%d failures of an error without a part and of none, want 2", f.n)
	}
}
