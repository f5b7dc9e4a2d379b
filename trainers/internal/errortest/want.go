package errortest

import (
	"fmt"
	"strings"
	"testing"
)

// Want fails the test where there is no error, or one that lacks one of the parts.
func Want(t testing.TB, err error, parts ...string) {
	t.Helper()
	if wrong := Lacks(err, parts...); wrong != "" {
		t.Error(wrong)
	}
}

// Lacks says what is wrong with an error that must have all parts in its text, and "" where
// nothing is.
func Lacks(err error, parts ...string) string {
	if err == nil {
		return fmt.Sprintf("no error that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			return fmt.Sprintf("the error %q does not say %q", err, part)
		}
	}
	return ""
}
