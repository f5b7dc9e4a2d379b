package suite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// saveTime is the time that an interrupted worker has to save its state.
const saveTime = time.Minute

// runProcess runs a job in a process of its own, so that its peak memory is that of
// the method. When ctx ends, the worker saves its state before it stops.
func runProcess(ctx context.Context, o Order, progress func(Progress)) error {
	self, err := os.Executable()
	if err != nil {
		return errors.Wrap(err, "finding this program")
	}
	order, err := json.Marshal(o)
	if err != nil {
		return errors.Wrap(err, "job")
	}
	cmd := exec.CommandContext(ctx, self, WorkerCommand)
	cmd.Stdin = bytes.NewReader(order)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), threadSettings(o.Jobs)...)
	// SIGINT may be ignored, as in the background of a shell, and the worker inherits that.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = saveTime
	out, err := cmd.StdoutPipe()
	if err != nil {
		return errors.Wrap(err, "worker")
	}
	if err := cmd.Start(); err != nil {
		return errors.Wrap(err, "worker")
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var t Progress
		if json.Unmarshal(lines.Bytes(), &t) == nil {
			progress(t)
		}
	}
	err = cmd.Wait()
	message := strings.TrimSpace(stderr.String())
	switch code := cmd.ProcessState.ExitCode(); {
	case code == exitOK:
		return nil // even if the interrupt came after the last step
	case ctx.Err() != nil && (code == exitInterrupted || code == -1): // -1: killed by the signal
		return ctx.Err()
	case code == exitMissing:
		return errors.Wrap(datasets.ErrNotFound, strings.TrimSuffix(message, ": "+datasets.ErrNotFound.Error()))
	}
	return errors.Errorf("%s: %v: %s", o.Job, err, message)
}

// threadSettings divides the cores among parallel jobs.
func threadSettings(jobs int) []string {
	if jobs <= 1 {
		return nil
	}
	n := max(1, runtime.NumCPU()/jobs)
	return []string{fmt.Sprintf("GOMAXPROCS=%d", n), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", n),
		fmt.Sprintf("MKL_NUM_THREADS=%d", n), fmt.Sprintf("BLIS_NUM_THREADS=%d", n)}
}
