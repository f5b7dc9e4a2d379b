package peers

import (
	"bytes"
	"context"
	_ "embed" // mlp_step.py
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"
)

//go:embed mlp_step.py
var mlpStep []byte

// pythons are tried in turn: the system's packages belong to the first.
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
func ourProcess(s settings) measure {
	return func(ctx context.Context) (measurement, error) {
		self, err := os.Executable()
		if err != nil {
			return measurement{}, errors.Wrap(err, "finding this program")
		}
		return runJSON(ctx, self, append([]string{Name, "-ours"}, s.arguments("-")...)...)
	}
}

// torchProcess measures PyTorch on the given number of threads.
func torchProcess(python string, threads int, s settings) measure {
	return func(ctx context.Context) (measurement, error) {
		dir, err := os.MkdirTemp("", Name)
		if err != nil {
			return measurement{}, errors.Wrap(err, "writing the script")
		}
		defer os.RemoveAll(dir)
		script := filepath.Join(dir, "mlp_step.py")
		if err := os.WriteFile(script, mlpStep, 0o600); err != nil {
			return measurement{}, errors.Wrap(err, "writing the script")
		}
		return runJSON(ctx, python, append([]string{script, "--threads", strconv.Itoa(threads)}, s.arguments("--")...)...)
	}
}

// runJSON runs a program that prints a measurement.
func runJSON(ctx context.Context, program string, args ...string) (measurement, error) {
	var m measurement
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return m, errors.Wrapf(err, "%s: %s", program, bytes.TrimSpace(stderr.Bytes()))
	}
	return m, errors.Wrapf(json.Unmarshal(out, &m), "%s printed %q", program, out)
}
