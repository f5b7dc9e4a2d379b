package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

// Import gives LoadWeights what LoadTorch takes of the file itself.
func TestImport(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	tr := trained(t, dir, trainers.Adam(0.01))
	trained(t, other, trainers.SGDm(0.3))
	names, file, out := filepath.Join(dir, "map.json"), filepath.Join(dir, "torch.safetensors"), filepath.Join(dir, "out.safetensors")
	write(t, names, []byte(`{"dense0": "fc1", "dense1": "fc2"}`))
	m, err := torch.ReadMap(names)
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "own.safetensors")
	if err := errors.Join(tr.SaveTorch(file, m), tr.SaveWeights(own)); err != nil {
		t.Fatal(err)
	}
	said, _ := call(t, cli.OK, "import", file, "-torch", names, "-like", other, "-o", out)
	says(t, said, out, file, "2 arrays")
	if !bytes.Equal(contents(t, own), contents(t, out)) {
		t.Error("not what SaveWeights writes")
	}

	tensors, err := checkpoint.ReadSafetensors(file)
	if err != nil {
		t.Fatal(err)
	}
	weight := tensors[0]
	wide := checkpoint.NamedTensor{Name: weight.Name, Value: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(7, 3))}
	for name, test := range map[string]struct {
		names   string
		tensors []checkpoint.NamedTensor
		says    []string
	}{
		"shape":   {`{"dense0": "fc1", "dense1": "fc2"}`, append([]checkpoint.NamedTensor{wide}, tensors[1:]...), []string{`"fc1.weight"`, "(7, 3)", `"dense0"`}},
		"missing": {`{"dense0": "fc1", "dense1": "fc2"}`, tensors[1:], []string{`"fc1.weight"`, `"dense0"`}},
		"unknown": {`{"dense0": "fc1", "dense1": "fc2", "dense2": "fc3"}`, tensors, []string{`"dense2"`, other}},
		"unnamed": {`{"dense0": "fc1"}`, tensors, []string{`"dense1"`, `"fc2.weight"`}},
	} {
		bad, wrong := filepath.Join(t.TempDir(), "bad.safetensors"), filepath.Join(t.TempDir(), "map.json")
		write(t, wrong, []byte(test.names))
		if err := checkpoint.WriteSafetensors(bad, test.tensors); err != nil {
			t.Fatal(err)
		}
		_, message := call(t, cli.Failed, "import", bad, "-torch", wrong, "-like", other, "-o", bad+".out")
		says(t, message, append(test.says, bad)...)
		if _, err := os.Stat(bad + ".out"); err == nil {
			t.Errorf("%s: a file is written", name)
		}
	}
	for _, missing := range []string{"-o", "-torch", "-like"} {
		args := []string{"import", file}
		for flag, value := range map[string]string{"-o": out, "-torch": names, "-like": other} {
			if flag != missing {
				args = append(args, flag, value)
			}
		}
		_, message := call(t, cli.Usage, args...)
		says(t, message, missing)
	}
	for _, at := range []string{out, file, filepath.Join(other, "checkpoint")} {
		_, message := call(t, cli.Usage, "import", file, "-torch", names, "-like", other, "-o", at)
		says(t, message, at)
	}
	_, message := call(t, cli.Failed, "import", names, "-torch", names, "-like", other, "-o", out, "-force")
	says(t, message, names)
}
