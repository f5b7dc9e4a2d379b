package parity

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/pkg/errors"
)

const usage = `Usage: benchmarks parity FILE...

Replays reference runs with the graphs, virtual machines and rules of this module.
For each file it prints one line: the file, the verdict, and the largest relative
error of each quantity in the file, max|got-want| / max(max|want|, %.0e).

Verdicts:
  pass           no error exceeds %.0e
  fail           an error exceeds it, or a step could not be taken
  unsupported    this module cannot replay the rule, model, dtype or batch
  invalid        the file cannot be read or is malformed (stderr has the reason)

Exit codes:
  0  all files passed
  1  a file failed
  2  wrong usage, or a file is invalid, even if others failed
  3  no file failed, but some are unsupported
`

// verdict is the result for one file. Graver verdicts are greater.
type verdict int

const (
	pass verdict = iota
	unsupported
	fail
	invalid
)

// exitCodes are the exit codes by gravest verdict.
var exitCodes = [...]int{pass: 0, unsupported: 3, fail: 1, invalid: 2}

// Command is the subcommand "parity": it replays the files that args name and
// returns the exit code.
func Command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("parity", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		printUsage(stdout)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "parity: %v\n\n", err)
		printUsage(stderr)
		return 2
	case flags.NArg() == 0:
		fmt.Fprint(stderr, "parity: no files\n\n")
		printUsage(stderr)
		return 2
	}
	width := 0
	for _, path := range flags.Args() {
		width = max(width, len(path))
	}
	gravest := pass
	for _, path := range flags.Args() {
		if err := ctx.Err(); err != nil {
			fmt.Fprintf(stderr, "parity: %s and the files after it: %v\n", path, err)
			return 2
		}
		v, detail := replayFile(path)
		if v == invalid {
			fmt.Fprintf(stdout, "%-*s  invalid\n", width, path)
			fmt.Fprintf(stderr, "parity: %s: %s\n", path, detail)
		} else {
			fmt.Fprintf(stdout, "%-*s  %s\n", width, path, detail)
		}
		gravest = max(gravest, v)
	}
	return exitCodes[gravest]
}

func printUsage(w io.Writer) { fmt.Fprintf(w, usage, floor, Tolerance) }

// replayFile returns the verdict on a file with its line, or with the reason why the
// file is invalid.
func replayFile(path string) (verdict, string) {
	data, err := os.ReadFile(path)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			err = p.Err // the caller names the path
		}
		return invalid, err.Error()
	}
	f, err := Decode(data)
	var u *Unsupported
	switch {
	case errors.As(err, &u):
		return unsupported, u.Error()
	case err != nil:
		return invalid, err.Error()
	}
	r, err := Replay(f)
	switch {
	case err != nil:
		return fail, fmt.Sprintf("fail: %v", err)
	case !r.Passed():
		return fail, "fail  " + r.String()
	}
	return pass, "pass  " + r.String()
}
