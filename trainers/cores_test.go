package trainers

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// coresEnv tells the test binary to train the runs of coreRuns and to print the
// bits that come out.
const coresEnv = "APO_TEST_PRINT_BITS"

// coreRun is a training whose products are large enough to be cut.
type coreRun struct {
	name  string
	model func() graph.Model
	o     Optimizer
	opts  []Option
	image []int // the shape of an example
	steps int
}

func coreRuns() []coreRun {
	mlp := func() graph.Model { return layers.MLP(210, 170, 150, 10) }
	lenet := func() graph.Model { return layers.LeNet(10) }
	resnet := func() graph.Model { return layers.ResNet8(10) }
	vector, image, small := []int{210}, []int{3, 32, 32}, []int{3, 16, 16}
	k2 := []Option{EveryK(2)}
	above := precond.Relative(0.5)
	above.Relative.WarmUp, above.Relative.WarmUpMetaSteps = 2, 1
	calibrated := []Option{EveryK(2), Calibrated(CalibratedConfig{Horizon: 20})}
	return []coreRun{
		{"mlp rmsprop", mlp, RMSprop(1e-3), k2, vector, 5},
		{"mlp float64", mlp, SGDm(1e-2), []Option{EveryK(2), Dtype(tensor.Float64)}, vector, 5},
		{"mlp calibrated", mlp, Adam(1e-3), calibrated, vector, 5},
		{"mlp precond", mlp, PrecondPlain(0.1), k2, vector, 5},
		{"mlp precond above", mlp, above, k2, vector, 5},
		{"mlp kfac", mlp, KFAC(1e-2), k2, vector, 5},
		{"mlp ekfac", mlp, EKFAC(1e-2), k2, vector, 5},
		{"mlp shampoo", mlp, Shampoo(1e-2), k2, vector, 5},
		{"lenet sgdm", lenet, SGDm(1e-2), k2, image, 3},
		{"lenet ekfac", lenet, EKFAC(1e-2), k2, image, 2},
		{"resnet8 adam", resnet, Adam(1e-3), k2, small, 2},
		{"resnet8 bfloat16", resnet, SGDm(1e-2), []Option{EveryK(2), Precision(apoops.BFloat16)}, small, 2},
		{"resnet8 kfac", resnet, KFAC(1e-2), k2, small, 2},
	}
}

// bits trains and hashes loss, weights, statistics and φ.
func (r coreRun) bits() (uint64, error) {
	tr, err := New(r.model(), graph.SoftmaxCrossEntropy, r.o, append(r.opts, Seed(7))...)
	if err != nil {
		return 0, err
	}
	h := fnv.New64a()
	add := func(d *tensor.Dense) error { return binary.Write(h, binary.LittleEndian, d.Data()) }
	for step := range r.steps {
		s, err := tr.Step(r.batch(step, tr.engine.c.dtype))
		if err != nil {
			return 0, err
		}
		if err := binary.Write(h, binary.LittleEndian, math.Float64bits(s.Loss)); err != nil {
			return 0, err
		}
	}
	for _, p := range tr.Params() {
		if err := add(p.Value); err != nil {
			return 0, err
		}
	}
	for _, p := range tr.Phi() {
		if err := add(p.Value); err != nil {
			return 0, err
		}
	}
	return h.Sum64(), nil
}

func (r coreRun) batch(step int, dt tensor.Dtype) graph.Batch {
	const n, classes = 34, 10
	rng := rand.New(rand.NewPCG(uint64(step), 9))
	shape := append(tensor.Shape{n}, r.image...)
	x, labels := make([]float64, shape.TotalSize()), make([]int, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	for i := range labels {
		labels[i] = rng.IntN(classes)
	}
	var backing any = x
	if dt == tensor.Float32 {
		single := make([]float32, len(x))
		for i, v := range x {
			single[i] = float32(v)
		}
		backing = single
	}
	return graph.Batch{
		X: []*tensor.Dense{tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))},
		T: []*tensor.Dense{tensor.New(tensor.WithShape(n), tensor.WithBacking(labels))},
	}
}

// printBits is the main function of the process that trains.
func printBits() {
	name, err := blas.Use()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	engine, _ := dnn.Library()
	fmt.Printf("%s %s\n", name, engine)
	for _, r := range coreRuns() {
		sum, err := r.bits()
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", r.name, err)
			os.Exit(1)
		}
		fmt.Printf("%s: %016x\n", r.name, sum)
	}
	os.Exit(0)
}

// TestBitsDoNotDependOnCores trains with every library that is there on 1 to 4
// cores: losses, weights and φ are the same bit for bit.
func TestBitsDoNotDependOnCores(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("trains in ten processes")
	}
	libraries := []struct {
		env   []string
		cores []int
	}{
		{[]string{blas.Env + "=gonum", dnn.Env + "=off"}, []int{1, 3}},
		{[]string{dnn.Env + "=off"}, []int{1, 2, 3, 4}},
		{nil, []int{1, 2, 3, 4}},
	}
	var seen []string
	for _, l := range libraries {
		var want []string
		for _, cores := range l.cores {
			child := exec.Command(os.Args[0], "-test.run=^$")
			child.Env = append(append(os.Environ(), l.env...), coresEnv+"=1", fmt.Sprintf("GOMAXPROCS=%d", cores),
				fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", cores), fmt.Sprintf("OMP_NUM_THREADS=%d", cores))
			child.Stderr = os.Stderr
			out, err := child.Output()
			if err != nil {
				t.Fatalf("%v, %d cores: %v", l.env, cores, err)
			}
			got := strings.Split(strings.TrimSpace(string(out)), "\n")
			if want == nil {
				if slices.Contains(seen, got[0]) {
					break // a library that is not there
				}
				t.Logf("%s", got[0])
				seen, want = append(seen, got[0]), got
				continue
			}
			for i, line := range got {
				if line != want[i] {
					t.Errorf("%s, %d cores: %s; on one core %s", got[0], cores, line, want[i])
				}
			}
		}
	}
}
