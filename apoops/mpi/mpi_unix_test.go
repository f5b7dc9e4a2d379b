//go:build unix

package mpi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// memberEnv names the function of members that a process of a test is.
const memberEnv = "APO_MPI_TEST_MEMBER"

// members are what the processes of tests do.
var members = map[string]func(Communicator) error{
	"sums":  sums,
	"abort": aborts,
	"exit":  exits,
	"leave": leaves,
	"join":  joins,
	"slow":  slow,
	"loop":  loops,
}

func TestMain(m *testing.M) {
	f, ok := members[os.Getenv(memberEnv)]
	if !ok {
		os.Exit(m.Run())
	}
	comm, err := Start()
	if err == nil {
		err = f(comm)
	}
	if err == nil {
		err = comm.Close()
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(3)
	}
}

// launchersHere are the commands of this machine that start processes, by name.
func launchersHere(t *testing.T) map[string][]string {
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

// run starts n processes that run a member, and returns what they print.
func run(t *testing.T, launcher []string, n int, member string, env ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	args := append(slices.Clone(launcher[1:]), "-n", strconv.Itoa(n), os.Args[0])
	cmd := exec.CommandContext(ctx, launcher[0], args...)
	cmd.Env = append(os.Environ(), append(env, memberEnv+"="+member)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Errorf("%s: %d processes of %q do not end:\n%s", launcher[0], n, member, out)
	}
	return string(out), err
}

// sums tries all calls.
func sums(c Communicator) error {
	n, r := c.Size(), c.Rank()
	for round := range 20 {
		x, y := make([]float32, 1+round*1000), make([]float64, 3)
		for i := range x {
			x[i] = float32(r + i)
		}
		y[2] = float64(r) + 0.5
		first, second := c.Sum32(x), c.Sum64(y)
		if err := errors.Join(first.Wait(), second.Wait()); err != nil {
			return err
		}
		ranks := n * (n - 1) / 2
		for i, v := range x {
			if v != float32(ranks+n*i) {
				return fmt.Errorf("element %d is %v", i, v)
			}
		}
		if y[2] != float64(ranks)+0.5*float64(n) {
			return fmt.Errorf("float64: %v", y)
		}
		data := []byte{byte(r), byte(round)}
		if err := c.Broadcast(n-1, data); err != nil || data[0] != byte(n-1) {
			return fmt.Errorf("broadcast: %v, %v", data, err)
		}
		if err := c.Barrier(); err != nil {
			return err
		}
	}
	if err := large(c); err != nil {
		return err
	}
	if err := c.Broadcast(n, nil); err == nil {
		return errors.New("broadcast from a rank that is not there")
	}
	fmt.Printf("rank %d of %d is well\n", r, n)
	return nil
}

// large sums and broadcasts arrays of more bytes than one call of the library gets.
func large(c Communicator) error {
	const length = 2*pieceBytes/4 + 3
	x := make([]float32, length)
	for i := range x {
		x[i] = float32(i%1000 + c.Rank())
	}
	if err := collective.Sum(c, x); err != nil {
		return err
	}
	n := c.Size()
	for i, v := range x {
		if v != float32(n*(i%1000)+n*(n-1)/2) {
			return fmt.Errorf("large sum: element %d is %v", i, v)
		}
	}
	data := make([]byte, 4*length)
	for i := range data {
		data[i] = byte(i*31 + c.Rank())
	}
	if err := c.Broadcast(0, data); err != nil {
		return err
	}
	for i, v := range data {
		if v != byte(i*31) {
			return fmt.Errorf("large broadcast: byte %d is %v", i, v)
		}
	}
	return nil
}

// TestMembers runs all calls in one to four processes under each launcher.
func TestMembers(t *testing.T) {
	t.Parallel()
	for name, launcher := range launchersHere(t) {
		for _, n := range []int{1, 2, 4} {
			out, err := run(t, launcher, n, "sums")
			if err != nil {
				t.Fatalf("%s, %d processes: %v\n%s", name, n, err, out)
			}
			for r := range n {
				if !strings.Contains(out, fmt.Sprintf("rank %d of %d is well", r, n)) {
					t.Errorf("%s: rank %d of %d says nothing:\n%s", name, r, n, out)
				}
			}
		}
	}
}

// aborts fails on one rank while the others wait for it.
func aborts(c Communicator) error {
	if c.Rank() == 1 {
		c.Abort(errors.New("no more space"))
		return errors.New("still there")
	}
	return collective.Sum(c, make([]float32, 10))
}

// exits leaves one rank with an error while the others wait for it.
func exits(c Communicator) error {
	if c.Rank() == 1 {
		return errors.New("no more space")
	}
	return collective.Sum(c, make([]float32, 10))
}

// leaves is exits in a function with a deferred Leave.
func leaves(c Communicator) (err error) {
	defer c.Leave(&err)
	return exits(c)
}

// joins has an error that all learn of, and leaves in order. Each says what it learned
// before it leaves: a launcher may end the others as soon as one has exited.
func joins(c Communicator) (err error) {
	defer c.Leave(&err)
	if c.Rank() == 1 {
		err = errors.New("no more space")
	}
	err = collective.JoinErrors(c, err)
	fmt.Println("learned:", err)
	return err
}

// TestFailuresEndAll lets one process abort, or exit, and waits for the end of all.
func TestFailuresEndAll(t *testing.T) {
	t.Parallel()
	for name, launcher := range launchersHere(t) {
		for _, member := range []string{"abort", "exit", "leave", "join"} {
			start := time.Now()
			out, err := run(t, launcher, 3, member)
			if err == nil || strings.Contains(out, "still there") {
				t.Errorf("%s, %s: %v\n%s", name, member, err, out)
			}
			if n := strings.Count(out, "learned: rank 1: no more space"); member == "join" && n != 3 {
				t.Errorf("%s: %d of 3 processes have the error:\n%s", name, n, out)
			}
			if member == "join" && !strings.Contains(out, "failed: rank 1: no more space") {
				t.Errorf("%s: no process returns the error:\n%s", name, out)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%s, %s: the processes end after %v", name, member, took)
			}
		}
	}
}

// slow lets others wait for rank 0, and takes the least of the times that they compute
// meanwhile: a busy machine adds to it.
func slow(c Communicator) error {
	least := 1.0
	for range 5 {
		share, err := waiting(c)
		if err != nil {
			return err
		}
		least = min(least, share)
	}
	if c.Rank() != 0 && least > 0.25 {
		return fmt.Errorf("waiting beside the program used %v of the time", least)
	}
	return nil
}

// waiting is the part of a wait beside the program that is the processor's time.
func waiting(c Communicator) (float64, error) {
	if c.Rank() == 0 {
		time.Sleep(300 * time.Millisecond)
	}
	p := c.Sum32([]float32{1})
	before, start := processorTime(), time.Now()
	time.Sleep(200 * time.Millisecond)
	used, took := processorTime()-before, time.Since(start)
	return used.Seconds() / took.Seconds(), p.Wait()
}

// TestWaitingSleeps measures the processor's time of a sum that waits for another process
// while the program does something else.
func TestWaitingSleeps(t *testing.T) {
	for name, launcher := range launchersHere(t) {
		if out, err := run(t, launcher, 2, "slow"); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// loops computes without a pause while sums are under way, on the one core that GOMAXPROCS
// leaves to loops, and counts those that are done then: half of them at least, on all
// members. On a busy machine it tries again.
func loops(c Communicator) error {
	if n := par.Cores(); n != 1 {
		return fmt.Errorf("loops run on %d cores", n)
	}
	const sums = 100
	best := 0
	for range 12 {
		done, err := besideLoop(c, sums)
		if err != nil {
			return err
		}
		best = max(best, done)
		all := []float32{float32(done)}
		if err := c.Sum32(all).Wait(); err != nil {
			return err
		}
		if all[0] >= sums/2*float32(c.Size()) {
			return nil
		}
	}
	// A thread that gets its turn each 10 ms only comes to some 20.
	return fmt.Errorf("%d of %d sums were done beside the loop", best, sums)
}

// besideLoop is the number of sums that are done after half a second of the processor's time.
func besideLoop(c Communicator, sums int) (done int, err error) {
	var all []collective.Pending
	for range sums {
		all = append(all, c.Sum32(make([]float32, 10_000)))
	}
	x, start := 1.0, processorTime()
	for processorTime()-start < 500*time.Millisecond && x > 0.5 {
		for range 100_000 {
			x = x*0.999 + 0.001
		}
	}
	for _, p := range all {
		done += len(p.(*request).done)
	}
	for _, p := range all {
		if err := p.Wait(); err != nil {
			return done, err
		}
	}
	return done, nil
}

// TestSumsGoOnBesideLoops has processes of one core compute while they sum up.
func TestSumsGoOnBesideLoops(t *testing.T) {
	for name, launcher := range launchersHere(t) {
		if out, err := run(t, launcher, 2, "loop", "GOMAXPROCS=1"); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestStartAlone is a program that no launcher has started.
func TestStartAlone(t *testing.T) {
	for _, l := range launchers {
		t.Setenv(l.variable, "")
	}
	for _, want := range []string{"", "auto", "off"} {
		t.Setenv(Env, want)
		c, err := Start()
		if err != nil || c.Size() != 1 || c.Close() != nil {
			t.Errorf("%s=%q: %v", Env, want, err)
		}
	}
	for _, want := range []string{"nosuchmpi", "/nowhere/libmpi.so"} {
		t.Setenv(Env, want)
		if _, err := Start(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s=%q: %v", Env, want, err)
		}
	}
}

// TestWrongLibrary opens a library that belongs to another launcher.
func TestWrongLibrary(t *testing.T) {
	t.Parallel()
	all := launchersHere(t)
	if len(all) < 2 {
		t.Skip("only one library of MPI is on this machine")
	}
	for name, wrong := range map[string]string{"Open MPI": "mpich", "MPICH": "openmpi"} {
		out, err := run(t, all[name], 2, "sums", Env+"="+wrong)
		if err == nil || !strings.Contains(out, "belongs to another launcher") && !strings.Contains(out, "MPI_Init") {
			t.Errorf("%s with %s: %v\n%s", name, wrong, err, out)
		}
	}
}
