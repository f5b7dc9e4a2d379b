package subcommand_test

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
)

// Names and flags come in any order; what check refuses is wrong usage.
func ExampleParseFlags() {
	parse := func(args ...string) {
		f := flag.NewFlagSet("count", flag.ContinueOnError)
		n := f.Int("n", 3, "how far to count")
		code, ok := subcommand.ParseFlags(f, "Counts names.\n", args, os.Stdout, os.Stdout, func(names []string) error {
			if len(names) > *n {
				return fmt.Errorf("%s: more than %d", strings.Join(names, " "), *n)
			}
			return nil
		})
		fmt.Println(code, ok)
	}
	parse("one", "-n", "2", "two")
	parse("one", "two", "-n", "1")
	// Output:
	// 0 true
	// count: one two: more than 1
	// (-h lists the flags)
	// 2 false
}
