package guides

import (
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
)

// TestSnippets: the tests of this folder compile and run the code of its pages.
func TestSnippets(t *testing.T) {
	exampletest.CheckSnippets(t, "logs.md", "optimizers.md", "resume.md")
}
