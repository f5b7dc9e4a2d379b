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
)

//go:embed torch_nets.py torch_step.py torch_train.py
var scripts embed.FS

// pythons are the interpreters to try, in this order. The system's packages belong
// to the first.
var pythons = []string{"/usr/bin/python3", "python3"}

// findTorch returns the first Python that can import torch, or "".
func findTorch(ctx context.Context, candidates []string) string {
	for _, p := range candidates {
		if exec.CommandContext(ctx, p, "-c", "import torch").Run() == nil {
			return p
		}
	}
	return ""
}

// ourProcess measures this library in a fresh process of this program.
func ourProcess(net string, s settings) measureFunc {
	return func(ctx context.Context) (measurement, error) {
		var m measurement
		self, err := os.Executable()
		if err != nil {
			return m, errors.Wrap(err, "finding this program")
		}
		return m, runJSON(ctx, &m, self, append([]string{Name, "-ours", net}, s.arguments("-")...)...)
	}
}

// torchProcess measures PyTorch on the given number of threads; 0 means PyTorch's
// default.
func torchProcess(python, net string, threads int, s settings) measureFunc {
	return func(ctx context.Context) (measurement, error) {
		var m measurement
		args := append([]string{"--net", net, "--threads", strconv.Itoa(threads)}, s.arguments("--")...)
		return m, runScript(ctx, &m, python, "torch_step.py", args...)
	}
}

// runScript runs one of the scripts in a folder that has all of them.
func runScript(ctx context.Context, result any, python, script string, args ...string) error {
	dir, err := os.MkdirTemp("", Name)
	if err != nil {
		return errors.Wrap(err, "writing the scripts")
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, scripts); err != nil {
		return errors.Wrap(err, "writing the scripts")
	}
	return runJSON(ctx, result, python, append([]string{filepath.Join(dir, script)}, args...)...)
}

// runJSON runs a program and decodes the JSON that it prints.
func runJSON(ctx context.Context, result any, program string, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return errors.Wrapf(err, "%s: %s", program, bytes.TrimSpace(stderr.Bytes()))
	}
	return errors.Wrapf(json.Unmarshal(out, result), "%s printed %q", program, out)
}
