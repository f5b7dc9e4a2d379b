package durable

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// UntilStopped is a context that ends when the process is asked to stop, so that
// it can save first: by Ctrl-C (SIGINT), by SIGTERM or because its terminal closes
// (SIGHUP). A signal that was ignored when the process started, as nohup ignores
// SIGHUP, stays ignored. stop gives the signals back their usual effect: after
// context.AfterFunc(until, stop) a second Ctrl-C ends the process at once, as it should where a
// step takes long.
//
// Among the processes of one training the signal reaches some before others: see Together.
// mpirun passes Ctrl-C and SIGTERM on. That of Open MPI kills what is still there a second
// later, or after what its parameter odls_base_sigkill_timeout says.
func UntilStopped(ctx context.Context) (until context.Context, stop context.CancelFunc) {
	var signals []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	if len(signals) == 0 { // NotifyContext would take none for all
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, signals...)
}
