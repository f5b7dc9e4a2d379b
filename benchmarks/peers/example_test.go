package peers_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/apo-gorgonia/apo/benchmarks/peers"
)

// The command as a function; 2 is for wrong usage.
func ExampleRun() {
	code := peers.Run(context.Background(), []string{"-no-such-flag"}, os.Stdout, io.Discard)
	fmt.Println("exit code", code)
	// Output: exit code 2
}
