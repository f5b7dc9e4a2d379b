// Package cli has what the example programs share: exit codes, flags, signals, the
// processes that mpirun starts, the lock on the folder -out and progress.
package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// The exit codes.
const (
	OK          = 0
	Failed      = 1
	Usage       = 2
	Interrupted = 130
)

// Program is an example's work. It gets the arguments without the program's
// name, and a context that ends when the process is asked to stop: by Ctrl-C,
// SIGTERM or the end of its terminal.
type Program func(ctx context.Context, args []string, stdout, stderr io.Writer) error

// LockOut makes the folder -out and keeps other runs out of it until unlock or the
// end of the process.
func LockOut(folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, errors.Wrap(err, "-out")
	}
	l, err := durable.LockFolder(folder)
	if err != nil {
		return nil, errors.WithMessage(err, "-out")
	}
	return func() { _ = l.Unlock() }, nil
}

// LockFirst is LockOut by rank 0 for all members.
func LockFirst(c collective.Communicator, folder string) (unlock func(), err error) {
	unlock = func() {}
	err = collective.OnFirst(c, func() (err error) {
		unlock, err = LockOut(folder)
		return err
	})
	return unlock, err
}

// Exit prints the error and returns the exit code for it.
func Exit(err error, stderr io.Writer) int {
	var usage usageError
	var own codeError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return OK
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "interrupted")
		return Interrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%v\n(-h lists the flags)\n", err)
		return Usage
	case errors.As(err, &own):
		fmt.Fprintln(stderr, err)
		return own.code
	}
	fmt.Fprintln(stderr, err)
	return Failed
}

// usageError is a mistake in the arguments.
type usageError struct{ error }

// codeError is an error with an exit code of the program's own.
type codeError struct {
	error
	code int
}

// WithCode is err with an exit code other than Failed, which the program's -h explains.
func WithCode(code int, err error) error { return codeError{err, code} }

// Usagef makes an error that ends the program with the exit code Usage.
func Usagef(format string, args ...any) error {
	return usageError{errors.Errorf(format, args...)}
}

// AsUsage is err as a mistake in the arguments; nil stays nil.
func AsUsage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Parse parses the flags. -h prints about and the flags to stdout and returns
// flag.ErrHelp; a mistake is an error for the exit code Usage.
func Parse(fs *flag.FlagSet, args []string, about string, stdout io.Writer) error {
	names, err := ParseNames(fs, args, "", about, stdout)
	if err == nil && len(names) > 0 {
		return Usagef("unexpected argument %q", names[0])
	}
	return err
}

// ParseNames is Parse with names before, between and behind the flags; usage stands for
// them in -h, such as "FILE...".
func ParseNames(fs *flag.FlagSet, args []string, usage, about string, stdout io.Writer) (names []string, err error) {
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	err = fs.Parse(args)
	for err == nil && fs.NArg() > 0 {
		names = append(names, fs.Arg(0))
		err = fs.Parse(fs.Args()[1:])
	}
	if errors.Is(err, flag.ErrHelp) {
		if usage != "" {
			usage = " " + usage
		}
		fmt.Fprintf(stdout, "%s\n\nUsage: %s [flags]%s\n\n", about, fs.Name(), usage)
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return nil, err
	}
	return names, AsUsage(err)
}
