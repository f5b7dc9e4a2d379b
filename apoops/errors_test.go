package apoops

import (
	stderrors "errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

// TestKindsAreFoundThroughWrapping wraps errors of each kind in every way that the
// packages do.
func TestKindsAreFoundThroughWrapping(t *testing.T) {
	kinds := []*ErrorKind{ErrNotFinite, ErrShape, ErrDtype, ErrTarget, NewErrorKind("other")}
	for i, k := range kinds {
		made := k.Errorf("graph: layer %q", "fc1")
		if made.Error() != `graph: layer "fc1"` {
			t.Fatalf("the text is %q", made)
		}
		for _, err := range []error{
			made, errors.Wrap(made, "a"), errors.WithMessagef(errors.Wrapf(made, "a"), "b"), errors.WithStack(made),
			fmt.Errorf("a: %w", made), stderrors.Join(errors.New("a"), made), errors.WithMessage(k, "a"),
		} {
			for j, other := range kinds {
				if errors.Is(err, other) != (i == j) {
					t.Fatalf("%q of kind %q: Is(%q) is %v", err, k, other, i != j)
				}
			}
		}
		if stack := fmt.Sprintf("%+v", errors.WithMessage(made, "step 3")); !strings.Contains(stack, "errors_test.go") {
			t.Fatalf("%%+v shows no stack: %s", stack)
		}
	}
}
