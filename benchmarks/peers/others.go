package peers

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

const (
	thisModule   = "github.com/apo-gorgonia/apo"
	othersFolder = "benchmarks/peers/others"
)

// other is a side of the module in othersFolder, in the way that it is built.
type other struct {
	name, side string
	simd       bool // by GOEXPERIMENT=simd
}

// otherLibraries are GoMLX's backend in Go, with its vector instructions and without, and
// stock Gorgonia, with gonum's BLAS as it comes and with this library's.
var otherLibraries = []other{
	{name: "GoMLX", side: "gomlx"},
	{name: "GoMLX-SIMD", side: "gomlx", simd: true},
	{name: "GoMLX-SIMD-sequential", side: "gomlx-sequential", simd: true},
	{name: "Gorgonia", side: "gorgonia"},
	{name: "Gorgonia-BLAS", side: "gorgonia-blas"},
}

// alone makes a process of this library use no other, as if none were installed.
var alone = []string{blas.Env + "=apo", dnn.Env + "=off"}

// builtOthers are the programs of the module in othersFolder, by other.simd.
type builtOthers map[bool]string

// buildOthers builds them in dir.
func buildOthers(ctx context.Context, dir string) (builtOthers, error) {
	folder, err := findOthers(ctx)
	if err != nil {
		return nil, err
	}
	built := builtOthers{false: filepath.Join(dir, "others"), true: filepath.Join(dir, "others-simd")}
	for simd, path := range built {
		var environment []string
		if simd {
			environment = []string{"GOEXPERIMENT=simd"}
		}
		if _, err := runGo(ctx, folder, environment, "build", "-o", path, "."); err != nil {
			return nil, errors.WithMessagef(err, "building %s", othersFolder)
		}
	}
	return built, nil
}

// findOthers is the folder with the source, by the module of the working folder.
func findOthers(ctx context.Context) (string, error) {
	root, err := runGo(ctx, "", nil, "list", "-m", "-f", "{{.Dir}}", thisModule)
	if err != nil {
		return "", errors.WithMessagef(err, "-others needs the source of %s: start it in a checkout", thisModule)
	}
	folder := filepath.Join(root, filepath.FromSlash(othersFolder))
	if _, err := os.Stat(filepath.Join(folder, "go.mod")); err != nil {
		return "", errors.Wrapf(err, "-others needs a checkout of %s, whose source has %s", thisModule, othersFolder)
	}
	return folder, nil
}

// runGo runs the go command in a folder and returns what it prints.
func runGo(ctx context.Context, folder string, variables []string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = folder, &stderr
	cmd.Env = append(os.Environ(), variables...)
	out, err := cmd.Output()
	return string(bytes.TrimSpace(out)), errors.Wrapf(err, "go %s: %s", args[0], bytes.TrimSpace(stderr.Bytes()))
}

// sides are those of a net besides PyTorch's: this library without others, and other
// libraries where the module has the net. done removes the file of weights.
func (b builtOthers) sides(c comparison, s settings) (all []*side, done func(), err error) {
	done = func() {}
	if c.goal.alone > 0 {
		all = append(all, &side{name: aloneName, run: ourProcess(c.net, s, alone...)})
	}
	if c.net != mlpNet {
		return all, done, nil
	}
	path, done, err := taskFile(func(dir string) (string, error) { return writeBatchTask(dir, c.net, s) })
	if err != nil {
		return nil, nil, err
	}
	for _, o := range otherLibraries {
		all = append(all, &side{name: o.name, run: otherProcess(b[o.simd], o.side, path, s)})
	}
	return all, done, nil
}

// writeBatchTask writes the first weights and the batch of a net for images to a file in
// dir, for other libraries.
func writeBatchTask(dir, net string, s settings) (path string, err error) {
	t, err := taskOf(net, s)
	if err != nil {
		return "", err
	}
	tr, err := trainers.New(t.model, t.loss, t.optimizer, trainers.EveryK(0))
	if err != nil {
		return "", err
	}
	all := []trainers.NamedTensor{{Name: "x", Value: t.batches[0].X[0]}, {Name: "t", Value: t.batches[0].T[0]}}
	for _, p := range tr.Params() {
		all = append(all, trainers.NamedTensor{Name: p.Name, Value: p.Value})
	}
	path = filepath.Join(dir, "task.safetensors")
	return path, checkpoint.WriteSafetensors(path, all)
}

// otherProcess measures a side of a built program on the weights and batch of a file.
func otherProcess(program, name, task string, s settings) measureFunc {
	return func(ctx context.Context) (measurement, error) {
		var m measurement
		return m, runJSONWith(ctx, nil, &m, program, "-side", name, "-steps", strconv.Itoa(s.steps), "-warmup", strconv.Itoa(s.warmup), "-losses", strconv.Itoa(firstLosses), task)
	}
}
