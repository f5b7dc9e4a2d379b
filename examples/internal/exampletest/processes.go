package exampletest

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Launcher starts a program in several processes.
type Launcher struct {
	Name    string
	command []string
}

// Launchers are those of this machine. Where there is none the test is skipped.
func Launchers(t *testing.T) (all []Launcher) {
	t.Helper()
	for _, l := range []Launcher{
		{"Open MPI", []string{"mpirun.openmpi", "--allow-run-as-root", "--oversubscribe"}},
		{"MPICH", []string{"mpirun.mpich"}},
	} {
		if _, err := exec.LookPath(l.command[0]); err == nil {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		t.Skip("neither mpirun.openmpi nor mpirun.mpich is on this machine")
	}
	return all
}

// processesEnv is the folder to which the processes of a run write their ids.
const processesEnv = "APO_TEST_PROCESSES"

// Rank is that of this process, "" where no launcher has started it.
func Rank() string { return cmp.Or(os.Getenv("OMPI_COMM_WORLD_RANK"), os.Getenv("PMI_RANK")) }

// IsProcess is for TestMain: it tells whether Launcher.Start has started this process, which
// is to be the program then, and writes down its id.
func IsProcess() bool {
	folder := os.Getenv(processesEnv)
	if folder == "" {
		return false
	}
	if err := os.WriteFile(filepath.Join(folder, Rank()), []byte(strconv.Itoa(os.Getpid())), 0o666); err != nil {
		panic(err)
	}
	return true
}

// Processes are those of a run.
type Processes struct {
	t      *testing.T
	name   string // of the launcher
	folder string // of their ids
	cmd    *exec.Cmd
	output locked
	ended  chan struct{}
}

// locked is a buffer that is read while it is written.
type locked struct {
	sync.Mutex
	bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(p)
}

// Output is what all have printed so far.
func (p *Processes) Output() string {
	p.output.Lock()
	defer p.output.Unlock()
	return p.output.String()
}

// Start starts the test program n times, with an addition to its environment. What is left
// of the processes at the end of the test is killed.
func (l Launcher) Start(t *testing.T, n int, env []string, args ...string) *Processes {
	t.Helper()
	return l.StartProgram(t, n, env, os.Args[0], args...)
}

// StartProgram is Start of any program.
func (l Launcher) StartProgram(t *testing.T, n int, env []string, program string, args ...string) *Processes {
	t.Helper()
	p := &Processes{t: t, name: l.Name, folder: t.TempDir(), ended: make(chan struct{})}
	p.cmd = exec.Command(l.command[0], slices.Concat(l.command[1:], []string{"-n", strconv.Itoa(n), program}, args)...)
	p.cmd.Env = slices.Concat(os.Environ(), env, []string{processesEnv + "=" + p.folder, "GOMAXPROCS=1"})
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.WaitDelay = &p.output, &p.output, time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is checked
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends what is there.
func (p *Processes) kill() {
	select {
	case <-p.ended:
	default:
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(5 * time.Second):
			_ = p.cmd.Process.Kill()
		}
	}
	for _, process := range p.left() {
		_ = process.Kill()
	}
}

// left are the processes that are there, without the launcher.
func (p *Processes) left() (all []*os.Process) {
	files, _ := os.ReadDir(p.folder) // gone with the test
	for _, f := range files {
		if process := p.process(f.Name()); process != nil && process.Signal(syscall.Signal(0)) == nil {
			all = append(all, process)
		}
	}
	return all
}

// process is nil where it has not begun.
func (p *Processes) process(rank string) *os.Process {
	text, err := os.ReadFile(filepath.Join(p.folder, rank))
	if err != nil {
		return nil
	}
	id, err := strconv.Atoi(string(text))
	if err != nil {
		return nil
	}
	process, err := os.FindProcess(id)
	if err != nil {
		return nil
	}
	return process
}

// Await waits until the text is printed.
func (p *Processes) Await(text string) {
	p.t.Helper()
	for began := time.Now(); !strings.Contains(p.Output(), text); time.Sleep(time.Millisecond) {
		select {
		case <-p.ended:
			p.t.Fatalf("%s: the run ends before it says %q:\n%s", p.name, text, p.Output())
		default:
		}
		if time.Since(began) > 3*time.Minute {
			p.t.Fatalf("%s: %q does not come:\n%s", p.name, text, p.Output())
		}
	}
}

// Signal sends a signal to the process of a rank, to the launcher for -1.
func (p *Processes) Signal(rank int, s os.Signal) {
	p.t.Helper()
	process := p.cmd.Process
	if rank >= 0 {
		if process = p.process(strconv.Itoa(rank)); process == nil {
			p.t.Fatalf("%s: no process of rank %d:\n%s", p.name, rank, p.Output())
		}
	}
	if err := process.Signal(s); err != nil {
		p.t.Fatalf("%s: %v to rank %d: %v", p.name, s, rank, err)
	}
}

// Wait waits until the launcher and all processes are gone, and returns the exit code. It
// fails the test where one of them is there after the given time.
func (p *Processes) Wait(most time.Duration) (code int) {
	p.t.Helper()
	began := time.Now()
	select {
	case <-p.ended:
	case <-time.After(most):
		p.t.Fatalf("%s: the run goes on after %v:\n%s", p.name, most, p.Output())
	}
	for left := p.left(); len(left) > 0; left = p.left() {
		if time.Since(began) > most {
			p.t.Fatalf("%s: %d processes are there after %v:\n%s", p.name, len(left), most, p.Output())
		}
		time.Sleep(10 * time.Millisecond)
	}
	return p.cmd.ProcessState.ExitCode()
}
