package trainers_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// The witnesses are checkpoints that version 0.1 wrote: of each run one after
// witnessAt steps, and one after witnessSteps. testdata/v0.1/README.md tells how
// they were made.
const (
	witnessDir   = "testdata/v0.1"
	witnessAt    = 7
	witnessSteps = 15
	// writeWitnessesEnv names the folder that TestWriteWitnesses writes to.
	writeWitnessesEnv = "APO_WRITE_WITNESSES"
	witnessChildEnv   = "APO_TEST_WITNESSES"
)

// witness is a run that version 0.1 took part of the way.
type witness struct {
	name      string // of the files
	optimizer string // as version 0.1 called it
	lr        float64
	settings  string
	start     func(o trainers.Optimizer, dt tensor.Dtype, opts []trainers.Option) (witnessRun, error)
	dtype     tensor.Dtype
	options   []trainers.Option
}

// witnessRun is what a Trainer and a loop with a Solver have in common.
type witnessRun interface {
	step(n int) error
	Save(path string, opts ...trainers.SaveOption) error
	Load(path string) error
	Skipped() int
	Phi() []trainers.NamedTensor
}

func (w witness) run() (witnessRun, error) {
	name := w.optimizer
	if name == "precond" {
		name = precond.PlainName
	}
	o, err := trainers.NewOptimizer(name, w.lr, json.RawMessage(w.settings))
	if err != nil {
		return nil, err
	}
	return w.start(o, w.dtype, append([]trainers.Option{trainers.EveryK(2), trainers.Seed(3)}, w.options...))
}

// file is the path of the checkpoint after so many steps.
func (w witness) file(steps int) string { return fmt.Sprintf("%s-%02d.checkpoint.gz", w.name, steps) }

// otherSums are the optimizers, as version 0.1 called them, whose products have been
// added up in another order since: they arrive at nearly the same numbers.
var otherSums = []string{"precond-above", "precond-trust"}

// TestContinuesRunsOfVersion01 loads each checkpoint and goes on: in a process of
// its own, without other libraries, to the same bits, but for otherSums; in this one to
// nearly the same numbers.
func TestContinuesRunsOfVersion01(t *testing.T) {
	t.Parallel()
	exact := os.Getenv(witnessChildEnv) != ""
	if !exact {
		child := exec.Command(os.Args[0], "-test.run=^TestContinuesRunsOfVersion01$", "-test.v")
		child.Env = append(os.Environ(), witnessChildEnv+"=1", blas.Env+"=gonum", dnn.Env+"=off")
		if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("with gonum's products: %v\n%s", err, out)
		}
	}
	for _, w := range witnesses() {
		t.Run(w.name, func(t *testing.T) {
			want, got := w.loaded(t, witnessSteps), w.loaded(t, witnessAt)
			for n := witnessAt; n < witnessSteps; n++ {
				if err := got.step(n); err != nil {
					t.Fatal(err)
				}
			}
			sameSums := !slices.Contains(otherSums, w.optimizer)
			compareRuns(t, got, want, exact && sameSums && writtenOn(t, w) == runtime.GOARCH)
		})
	}
}

// loaded is the run as the checkpoint after so many steps left it.
func (w witness) loaded(t *testing.T, steps int) witnessRun {
	t.Helper()
	r, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Load(unpacked(t, w.file(steps))); err != nil {
		t.Fatal(err)
	}
	return r
}

// unpacked is the path of the file without its compression.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join(witnessDir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), strings.TrimSuffix(name, ".gz"))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// writtenOn is the architecture of the processor that a witness was written on.
func writtenOn(t *testing.T, w witness) string {
	t.Helper()
	s, err := checkpoint.Read(unpacked(t, w.file(witnessAt)))
	if err != nil {
		t.Fatal(err)
	}
	var meta struct {
		Environment map[string]string `json:"environment"`
		Optimizer   string            `json:"optimizer"`
	}
	if err := json.Unmarshal(s.Meta, &meta); err != nil {
		t.Fatal(err)
	}
	if meta.Optimizer != w.optimizer || !strings.HasPrefix(meta.Environment["BLAS"], "gonum") {
		t.Fatalf("the witness is of %q with BLAS %q", meta.Optimizer, meta.Environment["BLAS"])
	}
	_, arch, _ := strings.Cut(meta.Environment["Go"], " ")
	return arch
}

// compareRuns saves both and compares weights and φ and, bit for bit, every state:
// eigenvectors have either sign, and roots of matrices that are nearly singular
// differ more than the steps made with them.
func compareRuns(t *testing.T, got, want witnessRun, same bool) {
	t.Helper()
	a, b := savedTensors(t, got), savedTensors(t, want)
	if len(a) != len(b) || got.Skipped() != want.Skipped() {
		t.Fatalf("%d arrays and %d skipped, want %d and %d", len(a), got.Skipped(), len(b), want.Skipped())
	}
	for i, x := range a {
		if x.Name != b[i].Name || !x.Value.Shape().Eq(b[i].Value.Shape()) {
			t.Fatalf("array %d is %s %v, want %s %v", i, x.Name, x.Value.Shape(), b[i].Name, b[i].Value.Shape())
		}
		if same {
			sameBits(t, x.Name, x.Value, b[i].Value)
		} else if strings.HasPrefix(x.Name, "theta/") || strings.HasPrefix(x.Name, "phi/") {
			nearlySame(t, x.Name, x.Value, b[i].Value)
		}
	}
}

func savedTensors(t *testing.T, r witnessRun) []trainers.NamedTensor {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return s.Tensors
}

func sameBits(t *testing.T, name string, got, want *tensor.Dense) {
	t.Helper()
	a, b := numbers(got), numbers(want)
	for i := range b {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			t.Fatalf("%s: element %d is %v, want %v", name, i, a[i], b[i])
		}
	}
}

// nearlySame compares to 1e-5 of the largest element.
func nearlySame(t *testing.T, name string, got, want *tensor.Dense) {
	t.Helper()
	a, b := numbers(got), numbers(want)
	largest := 0.0
	for _, v := range b {
		largest = max(largest, math.Abs(v))
	}
	for i := range b {
		if math.Abs(a[i]-b[i]) > 1e-5*largest {
			t.Fatalf("%s: element %d is %v, want %v", name, i, a[i], b[i])
		}
	}
}

func numbers(t *tensor.Dense) []float64 {
	var all []float64
	switch v := t.Data().(type) {
	case []float32:
		for _, x := range v {
			all = append(all, float64(x))
		}
	case []float64:
		all = v
	case []int:
		for _, x := range v {
			all = append(all, float64(x))
		}
	case []uint64:
		for _, x := range v {
			all = append(all, float64(x))
		}
	}
	return all
}

// TestWriteWitnesses writes the files, where it is told to.
func TestWriteWitnesses(t *testing.T) {
	dir := os.Getenv(writeWitnessesEnv)
	if dir == "" {
		t.Skip("writes the checkpoints that other versions are tested with")
	}
	for _, w := range witnesses() {
		r, err := w.run()
		if err != nil {
			t.Fatal(w.name, err)
		}
		before := phiOf(r)
		for n := range witnessSteps {
			if n == witnessAt {
				writeWitness(t, r, filepath.Join(dir, w.file(n)))
			}
			if err := r.step(n); err != nil {
				t.Fatal(w.name, err)
			}
		}
		if slices.Equal(before, phiOf(r)) {
			t.Errorf("%s: no meta-step moved φ", w.name)
		}
		writeWitness(t, r, filepath.Join(dir, w.file(witnessSteps)))
	}
}

func phiOf(r witnessRun) []float64 {
	var all []float64
	for _, p := range r.Phi() {
		all = append(all, numbers(p.Value)...)
	}
	return all
}

func writeWitness(t *testing.T, r witnessRun, path string) {
	t.Helper()
	plain := filepath.Join(t.TempDir(), "run")
	if err := r.Save(plain); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// witnessBatch is the n-th mini-batch: rows of numbers of mean 0 and their classes.
func witnessBatch(n int, dt tensor.Dtype, classes int, shape ...int) graph.Batch {
	rng := rand.New(rand.NewPCG(77, uint64(n)))
	x, labels := make([]float64, tensor.Shape(shape).TotalSize()), make([]int, shape[0])
	width := len(x) / len(labels)
	for i := range labels {
		labels[i] = rng.IntN(classes)
		for j := range width {
			x[i*width+j] = rng.NormFloat64()/2 + math.Cos(float64(labels[i]*(j+1)))
		}
	}
	return graph.NewBatch(array(x, dt, shape...), tensor.New(tensor.WithShape(shape[0]), tensor.WithBacking(labels)))
}

// array has the numbers as elements of the dtype.
func array(x []float64, dt tensor.Dtype, shape ...int) *tensor.Dense {
	if dt == tensor.Float64 {
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
	}
	single := make([]float32, len(x))
	for i, v := range x {
		single[i] = float32(v)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(single))
}
