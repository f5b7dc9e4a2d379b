package peers_test

import (
	"context"
	"os"

	"github.com/apo-gorgonia/apo/benchmarks/peers"
)

// Without PyTorch there is nothing to compare with.
func ExampleRun() {
	peers.Run(context.Background(), []string{"-python", "no-such-python"}, os.Stdout, os.Stderr)
	// Output: skipped: PyTorch not found (tried no-such-python)
}
