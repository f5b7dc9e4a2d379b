//go:build unix

package trainers

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/mpi"
)

// memberEnv names the folder of a test's members: they are processes of this test that
// mpirun has started.
const memberEnv = "APO_PARALLEL_FOLDER"

// memberSteps is the length of their run; it is saved every second step.
const memberSteps = 20

// taskEnv names what they train, see memberTask.
const taskEnv = "APO_PARALLEL_TASK"

// memberTask is what they train, and with what: toys, or images with joint batch norm and
// divided inverses.
func memberTask(t *testing.T, name string) (parallelTask, Optimizer) {
	p, o := toyTask(t), Optimizer(Precond(0.01))
	if name == "images" {
		kfac := KFAC(0.005)
		kfac.InverseEvery = 3
		p, o = normTask(3), kfac
	}
	p.steps = memberSteps
	return p, o
}

// TestParallelMember is what a member does. It goes on from the checkpoint that is there.
func TestParallelMember(t *testing.T) {
	folder := os.Getenv(memberEnv)
	if folder == "" {
		t.Skip("a member of TestParallelMPI")
	}
	comm, err := mpi.Start()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, fmt.Sprint("pid", comm.Rank())), []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "run")
	p, o := memberTask(t, os.Getenv(taskEnv))
	tr, err := New(p.model, p.loss, o, Dtype(tensor.Float64), EveryK(2), Parallel(comm, p.with...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		if err := tr.Load(path); err != nil {
			t.Fatal(err)
		}
	}
	for tr.Steps() < memberSteps {
		if _, err := tr.Step(p.batch(tr.Steps())); err != nil {
			t.Fatal(err)
		}
		if tr.Steps()%2 == 0 {
			if err := tr.Save(path); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond) // there is a moment to be killed at
		}
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(weightsOf(tr)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, fmt.Sprint("weights", comm.Rank())), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := comm.Close(); err != nil {
		t.Fatal(err)
	}
}

// mpiruns are the launchers of this machine.
func mpiruns(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	if p, err := exec.LookPath("mpirun.openmpi"); err == nil {
		all["Open MPI"] = []string{p, "--allow-run-as-root", "--oversubscribe"}
	}
	if p, err := exec.LookPath("mpirun.mpich"); err == nil {
		all["MPICH"] = []string{p}
	}
	if len(all) == 0 {
		t.Skip("neither mpirun.openmpi nor mpirun.mpich is on this machine")
	}
	return all
}

// members is the command that runs n of them.
func members(ctx context.Context, launcher []string, n int, folder string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, launcher[0], append(slices.Clone(launcher[1:]), "-n", strconv.Itoa(n), os.Args[0], "-test.run", "^TestParallelMember$")...)
	cmd.Env = append(os.Environ(), memberEnv+"="+folder, "GOMAXPROCS=1")
	cmd.WaitDelay = time.Second
	return cmd
}

func memberWeights(t *testing.T, folder string, rank int) (w []float64) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, fmt.Sprint("weights", rank)))
	if err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&w); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestParallelMPI compares processes under each launcher with one process.
func TestParallelMPI(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs of mpirun take seconds")
	}
	launchers := mpiruns(t)
	for name, launcher := range launchers {
		for n, task := range map[int]string{2: "toys", 4: "images"} {
			p, o := memberTask(t, task)
			want := p.run(t, o, Seed(1))
			folder := t.TempDir()
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			cmd := members(ctx, launcher, n, folder)
			cmd.Env = append(cmd.Env, taskEnv+"="+task)
			out, err := cmd.CombinedOutput()
			cancel()
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out)
			}
			first := memberWeights(t, folder, 0)
			if d := distance(first, want); !(d <= 1e-10) {
				t.Errorf("%s: %d members are off by %.1e", name, n, d)
			}
			for r := 1; r < n; r++ {
				if !slices.Equal(memberWeights(t, folder, r), first) {
					t.Errorf("%s: rank %d of %d has other bits than rank 0", name, r, n)
				}
			}
		}
	}
}

// kills is how often TestParallelKill kills a member under each launcher; the environment
// variable APO_KILLS sets another number.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("APO_KILLS")); err == nil {
		return n
	}
	return 1
}

// TestParallelKill kills a random member at random moments after all have begun. All others
// end within 10 s, and the run that goes on has the bits of one that was never stopped.
func TestParallelKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs of mpirun take seconds")
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for name, launcher := range mpiruns(t) {
		const n = 3
		whole := t.TempDir()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		if out, err := members(ctx, launcher, n, whole).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		_, began := begun(whole, n)
		took := time.Since(began)
		cancel()
		folder := t.TempDir()
		for i := range kills() {
			killMember(t, launcher, n, folder, time.Duration(rng.Int64N(int64(took))), rng.IntN(n))
			if t.Failed() {
				t.Fatalf("%s: kill %d", name, i)
			}
		}
		ctx, cancel = context.WithTimeout(context.Background(), 3*time.Minute)
		if out, err := members(ctx, launcher, n, folder).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		cancel()
		for r := range n {
			if !slices.Equal(memberWeights(t, folder, r), memberWeights(t, whole, r)) {
				t.Errorf("%s: rank %d has other bits than without kills", name, r)
			}
		}
	}
}

// begun are the ids of n members and the moment when the last of them began, none before that.
func begun(folder string, n int) (pids []int, last time.Time) {
	for r := range n {
		path := filepath.Join(folder, fmt.Sprint("pid", r))
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, last
		}
		pid, err := strconv.Atoi(string(text))
		if err != nil {
			return nil, last // it is being written
		}
		if s, err := os.Stat(path); err == nil && s.ModTime().After(last) {
			last = s.ModTime()
		}
		pids = append(pids, pid)
	}
	return pids, last
}

// killMember starts the members and kills one of them a while after all have begun.
func killMember(t *testing.T, launcher []string, n int, folder string, after time.Duration, rank int) {
	t.Helper()
	for r := range n {
		os.Remove(filepath.Join(folder, fmt.Sprint("pid", r)))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := members(ctx, launcher, n, folder)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var pids []int
	for len(pids) < n {
		select {
		case <-time.After(time.Millisecond):
			pids, _ = begun(folder, n)
		case err := <-ended:
			t.Errorf("the members end before all have begun: %v\n%s", err, &out)
			return
		}
	}
	select {
	case <-time.After(after):
	case <-ended:
		return // the run was shorter
	}
	if err := syscall.Kill(pids[rank], syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		t.Fatal(err)
	}
	killed := time.Now()
	if _, err := os.Stat(filepath.Join(folder, "run")); err == nil {
		t.Logf("rank %d was killed after a checkpoint", rank)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Errorf("mpirun does not end after a member was killed:\n%s", &out)
		cmd.Process.Kill()
	}
	for _, pid := range pids {
		for syscall.Kill(pid, 0) == nil {
			if time.Since(killed) > 10*time.Second {
				t.Errorf("process %d is there 10 s after another one was killed", pid)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}
