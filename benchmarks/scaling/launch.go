package scaling

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/errors"
)

// launcher starts processes of this program that measure.
type launcher struct {
	mpirun []string // the command with its arguments; nil where there is none
	name   string   // what it says it is
}

// findLauncher tries the command of -mpirun, or mpirun. Open MPI gets the arguments that
// root needs, and processes on the same core.
func findLauncher(ctx context.Context, command string) launcher {
	words := strings.Fields(command)
	own := len(words) > 1
	if len(words) == 0 {
		words = []string{"mpirun"}
	}
	out, err := exec.CommandContext(ctx, words[0], append(words[1:], "--version")...).CombinedOutput()
	if err != nil {
		return launcher{}
	}
	l := launcher{mpirun: words, name: "MPICH"}
	if bytes.Contains(out, []byte("Open MPI")) || bytes.Contains(out, []byte("OpenRTE")) {
		l.name = "Open MPI"
		if !own {
			l.mpirun = append(l.mpirun, "--oversubscribe")
			if os.Geteuid() == 0 {
				l.mpirun = append(l.mpirun, "--allow-run-as-root")
			}
		}
	}
	return l
}

// endTime is how long mpirun may take to end its processes after an interrupt.
const endTime = 10 * time.Second

// run measures a job by so many processes.
func (l launcher) run(ctx context.Context, j job, processes int) (m measurement, err error) {
	self, err := os.Executable()
	if err != nil {
		return m, errors.Wrap(err, "finding this program")
	}
	text, err := json.Marshal(j)
	if err != nil {
		return m, errors.Wrap(err, "job")
	}
	words := []string{self, Name, "-member", string(text)}
	together := processes > 1
	if together {
		words = slices.Concat(l.mpirun, []string{"-n", strconv.Itoa(processes)}, words)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stderr = &stderr
	if together { // mpirun ends its processes when it gets this signal
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	}
	cmd.WaitDelay = endTime
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return m, ctx.Err()
	}
	if err != nil {
		return m, errors.Wrapf(err, "%s: %s", words[0], bytes.TrimSpace(stderr.Bytes()))
	}
	return m, errors.Wrapf(json.Unmarshal(out, &m), "%s printed %q", words[0], out)
}
