package peers

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

//go:embed torch_kfac.py torch_nets.py torch_resident.py torch_safetensors.py torch_step.py torch_text_net.py torch_text_step.py torch_train.py torch_translate.py
var scripts embed.FS

// ourProcess measures this library in a fresh process of this program, with variables
// added to its environment.
func ourProcess(net string, s settings, variables ...string) measureFunc {
	return func(ctx context.Context) (measurement, error) {
		var m measurement
		self, err := os.Executable()
		if err != nil {
			return m, errors.Wrap(err, "finding this program")
		}
		return m, runJSONWith(ctx, variables, &m, self, append([]string{Name, "-ours", net, "-tokens", strconv.Itoa(s.tokens), "-bfloat16=" + strconv.FormatBool(s.low)}, s.arguments("-")...)...)
	}
}

// torchProcess measures PyTorch on a net in the way w.
func torchProcess(python, net string, w way, s settings) measureFunc {
	return func(ctx context.Context) (measurement, error) {
		var m measurement
		args := append([]string{"--net", net, "--threads", strconv.Itoa(w.threads), "--precision", w.precision}, s.arguments("--")...)
		if w.channelsLast {
			args = append(args, "--channels-last")
		}
		if w.foreach {
			args = append(args, "--foreach")
		}
		return m, runScriptWith(ctx, w.variables(), &m, python, "torch_step.py", args...)
	}
}

// torchTransformer measures PyTorch on the Transformer of the file task. blocks says how
// it computes them.
func torchTransformer(python, task, blocks string, heads, threads int, s settings) measureFunc {
	return func(ctx context.Context) (measurement, error) {
		var m measurement
		args := []string{"--blocks", blocks, "--heads", strconv.Itoa(heads), "--threads", strconv.Itoa(threads), "--steps", strconv.Itoa(s.steps), "--warmup", strconv.Itoa(s.warmup), task}
		return m, runScriptWith(ctx, mallocSettings, &m, python, "torch_text_step.py", args...)
	}
}

// taskFile has write make a file for PyTorch in a folder of its own. done removes it.
func taskFile(write func(dir string) (path string, err error)) (path string, done func(), err error) {
	dir, err := os.MkdirTemp("", Name)
	if err != nil {
		return "", nil, errors.Wrap(err, "writing the weights")
	}
	done = func() { _ = os.RemoveAll(dir) }
	if path, err = write(dir); err != nil {
		done()
		return "", nil, errors.WithMessage(err, "writing the weights")
	}
	return path, done, nil
}

// runScript runs one of the scripts in a folder that has all of them.
func runScript(ctx context.Context, result any, python, script string, args ...string) error {
	return runScriptWith(ctx, nil, result, python, script, args...)
}

// runScriptWith is runScript with variables added to the environment. A script's OpenBLAS
// works for the same kind of processor as ours.
func runScriptWith(ctx context.Context, variables []string, result any, python, script string, args ...string) error {
	dir, err := os.MkdirTemp("", Name)
	if err != nil {
		return errors.Wrap(err, "writing the scripts")
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, scripts); err != nil {
		return errors.Wrap(err, "writing the scripts")
	}
	variables = append(blas.Environment(), variables...)
	return runJSONWith(ctx, variables, result, python, append([]string{filepath.Join(dir, script)}, args...)...)
}

// runJSONWith runs a program, with variables added to the environment, and decodes the
// JSON that it prints.
func runJSONWith(ctx context.Context, variables []string, result any, program string, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), variables...)
	out, err := cmd.Output()
	if err != nil {
		return errors.Wrapf(err, "%s: %s", program, bytes.TrimSpace(stderr.Bytes()))
	}
	return errors.Wrapf(json.Unmarshal(out, result), "%s printed %q", program, out)
}
