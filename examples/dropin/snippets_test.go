package dropin

import (
	"path/filepath"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
)

// TestSnippets: the tests of this folder compile and run the code of its page and of the
// top page.
func TestSnippets(t *testing.T) {
	exampletest.CheckSnippets(t, "README.md", filepath.Join("..", "..", "README.md"))
}
