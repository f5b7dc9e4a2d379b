package subcommand

import (
	"flag"
	"fmt"
	"io"

	"github.com/pkg/errors"
)

// The exit codes of ParseFlags.
const (
	OK    = 0
	Usage = 2
)

// ParseFlags parses the flags of a subcommand and names in any order and calls check with
// the names. After -h, which prints usage and the flags to stdout, or an error, which goes to
// stderr, ok is false and code is the exit code.
func ParseFlags(f *flag.FlagSet, usage string, args []string, stdout, stderr io.Writer, check func(names []string) error) (code int, ok bool) {
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	print := func(w io.Writer) {
		fmt.Fprint(w, usage, "\nFlags:\n")
		f.SetOutput(w)
		f.PrintDefaults()
	}
	var names []string
	err := f.Parse(args)
	for err == nil && f.NArg() > 0 {
		names = append(names, f.Arg(0))
		err = f.Parse(f.Args()[1:])
	}
	if errors.Is(err, flag.ErrHelp) {
		print(stdout)
		return OK, false
	}
	if err == nil {
		err = check(names)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n(-h lists the flags)\n", f.Name(), err)
		return Usage, false
	}
	return OK, true
}

// NoNames is a check for ParseFlags of a subcommand that takes flags alone.
func NoNames(check func() error) func(names []string) error {
	return func(names []string) error {
		if len(names) > 0 {
			return errors.Errorf("unexpected argument %q", names[0])
		}
		return check()
	}
}
