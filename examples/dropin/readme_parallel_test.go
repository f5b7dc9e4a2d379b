package dropin

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/mpi"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// memberEnv marks the processes that TestReadmeParallel starts.
const memberEnv = "APO_README_MEMBER"

// trainTogether is the program of the top README for several processes.
func trainTogether(loss graph.Loss, model graph.Model, optimizer trainers.Optimizer) (err error) {
	comm, err := mpi.Start() // package apoops/mpi
	if err != nil {
		return err
	}
	defer comm.Leave(&err) // the function's result
	tr, err := trainers.New(model, loss, optimizer, trainers.Parallel(comm))
	if err != nil {
		return err
	}
	train, test, err := datasets.Digits(tensor.Float32)
	if err != nil {
		return err
	}
	batches, err := trainers.NewBatches(train, 64, 1)
	if err != nil {
		return err
	}
	for i := range 60 {
		if _, err := tr.Step(batches.At(i)); err != nil {
			return err
		}
	}
	e, err := tr.Evaluate(test, 90)
	if err == nil && comm.Rank() == 0 {
		fmt.Printf("processes %d: accuracy above 80%%: %t\n", comm.Size(), e.Accuracy > 0.8)
	}
	return err
}

// TestReadmeParallel runs that program by itself and in two processes.
func TestReadmeParallel(t *testing.T) {
	if os.Getenv(memberEnv) != "" {
		check(t, trainTogether(graph.SoftmaxCrossEntropy, layers.MLP(64, 32, 10), trainers.Precond(0.02)))
		return
	}
	for n, command := range map[int][]string{1: nil, 2: {"mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", "-n", "2"}} {
		if len(command) > 0 {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skipf("%s is not on this machine: only one process was tried", command[0])
			}
		}
		command = append(command, os.Args[0], "-test.run", "^TestReadmeParallel$")
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Env = append(os.Environ(), memberEnv+"=1")
		out, err := cmd.CombinedOutput()
		if want := fmt.Sprintf("processes %d: accuracy above 80%%: true", n); err != nil || strings.Count(string(out), want) != 1 {
			t.Errorf("%d processes: %v\n%s", n, err, out)
		}
	}
}
