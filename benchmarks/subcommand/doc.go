// Package subcommand is what the subcommands of benchmarks share: ParseFlags reads flags and
// names in any order and answers -h and wrong usage alike everywhere. NoNames is for those
// that take flags alone.
//
//	f := flag.NewFlagSet("benchmarks count", flag.ContinueOnError)
//	n := f.Int("n", 3, "how far to count")
//	code, ok := subcommand.ParseFlags(f, "Counts.\n", args, stdout, stderr, subcommand.NoNames(check))
//	if !ok {
//		return code
//	}
//
// It imports none of the other packages.
package subcommand
