package cli

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/mpi"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// Run runs a program of one process on the process's arguments and returns its exit code. A
// second Ctrl-C or signal ends the process at once. Where mpirun has started several, the
// program says that it cannot divide its work.
func Run(p Program) int {
	return run(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		if n := Members(ctx).Size(); n > 1 {
			return &collective.MemberError{Rank: -1, Shared: true, Err: errors.Errorf(
				"this program trains a graph of its own, made for mini-batches of one size, which %d processes cannot divide among them: start it without mpirun", n)}
		}
		return p(ctx, args, stdout, stderr)
	})
}

// RunTogether is Run of a program that divides its work among the processes that mpirun has
// started: Members. Rank 0 alone prints. An error of one process is printed once and ends
// all of them.
func RunTogether(p Program) int { return run(p) }

func run(p Program) int {
	ctx, stop := durable.UntilStopped(context.Background())
	defer stop()
	comm, err := mpi.Start()
	if err != nil {
		return Exit(err, os.Stderr)
	}
	stdout, stderr := io.Writer(os.Stdout), io.Writer(os.Stderr)
	switch {
	case comm.Size() == 1:
		context.AfterFunc(ctx, stop)
	case comm.Rank() > 0:
		stdout, stderr = io.Discard, io.Discard
	}
	return leave(ctx, comm, p(withMembers(ctx, comm), os.Args[1:], stdout, stderr))
}

// membersKey is that of the members in a context.
type membersKey struct{}

func withMembers(ctx context.Context, c collective.Communicator) context.Context {
	return context.WithValue(ctx, membersKey{}, c)
}

// Members joins the processes that run this program; collective.Single where it runs by
// itself.
func Members(ctx context.Context) collective.Communicator {
	if c, ok := ctx.Value(membersKey{}).(collective.Communicator); ok {
		return c
	}
	return collective.Single{}
}

// leave prints the error, leaves the other processes and returns the exit code. An error
// that they do not have ends them.
func leave(ctx context.Context, comm mpi.Communicator, err error) int {
	if err != nil && comm.Size() > 1 && !collective.IsShared(err) {
		return abort(ctx, comm, err)
	}
	stderr := io.Writer(os.Stderr)
	if comm.Rank() > 0 {
		stderr = io.Discard // rank 0 has the same error
	}
	code := Exit(err, stderr)
	if lost := comm.Close(); lost != nil && code == OK {
		return Exit(lost, os.Stderr)
	}
	return code
}

// All members may come to the same error by themselves, as from a file that all read. Then
// rank 0 says it and ends the others, which have patience before they do so, each a little
// more than the one before it.
const (
	patience = 2 * time.Second
	stagger  = 50 * time.Millisecond
	longest  = 5 * time.Second
)

// passedOn is the time that a launcher gets to pass on what was printed: when a process
// aborts it ends at once.
const passedOn = 500 * time.Millisecond

func abort(ctx context.Context, comm mpi.Communicator, err error) int {
	if rank := comm.Rank(); rank > 0 {
		ended := ctx.Done() // by the launcher's SIGTERM
		if ctx.Err() != nil {
			ended = nil
		}
		select {
		case <-time.After(min(patience+time.Duration(rank)*stagger, longest)):
		case <-ended:
			return Exit(err, io.Discard)
		}
	}
	var m *collective.MemberError
	if !errors.As(err, &m) {
		err = &collective.MemberError{Rank: comm.Rank(), Err: err}
	}
	code := Exit(err, os.Stderr)
	time.Sleep(passedOn)
	comm.Abort(err)
	return code
}
