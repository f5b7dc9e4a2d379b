package report_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/apo-gorgonia/apo/benchmarks/report"
)

// The command as a function; 2 is for wrong usage.
func ExampleCommand() {
	code := report.Command(context.Background(), []string{"-no-such-flag"}, os.Stdout, io.Discard)
	fmt.Println("exit code", code)
	// Output: exit code 2
}
