package checkpoint

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/python"
)

// The bytes of a file, as the format's description gives them.
func TestNPYBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	if err := WriteNPY(path, NamedTensor{Name: "a", Value: denseOf([]float32{1, -2}, 1, 2)}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
	want := "\x93NUMPY\x01\x00\x76\x00" + text + strings.Repeat(" ", 0x76-1-len(text)) + "\n\x00\x00\x80\x3f\x00\x00\x00\xc0"
	if string(got) != want || (len(want)-8)%64 != 0 {
		t.Errorf("got %q, want %q", got, want)
	}
}

// NumPy reads every dtype and number of axes, transposed arrays too.
func TestNumPyReads(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: starting Python takes time")
	}
	python := python.With(t.Context(), "numpy")
	if python == "" {
		t.Skip("skipped: no python3 with NumPy on this machine")
	}
	turned := denseOf([]float64{1, 2, 3, 4, 5, 6}, 2, 3)
	if err := turned.T(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var want []string
	for _, c := range []struct {
		t    NamedTensor
		want string
	}{
		{NamedTensor{Value: denseOf([]float32{1.5, 2, 3, 4, 5, 6}, 2, 3)}, `["float32", [2, 3], [1.5, 2, 3, 4, 5, 6]]`},
		{NamedTensor{Value: turned}, `["float64", [3, 2], [1, 4, 2, 5, 3, 6]]`},
		{NamedTensor{Value: denseOf([]int{-1, 2}, 2)}, `["int64", [2], [-1, 2]]`},
		{NamedTensor{Value: denseOf([]uint64{1 << 40}, 1, 1, 1)}, `["uint64", [1, 1, 1], [1099511627776]]`},
		{NamedTensor{Value: tensor.New(tensor.FromScalar(2.5))}, `["float64", [], [2.5]]`},
		{NamedTensor{Value: denseOf([]uint16{0x3f80, 0xc000}, 2), Format: apoops.BFloat16}, `["float32", [2], [1, -2]]`},
	} {
		c.t.Name = "a"
		if err := WriteNPY(filepath.Join(dir, string(rune('a'+len(want)))+".npy"), c.t); err != nil {
			t.Fatal(err)
		}
		want = append(want, c.want)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, "-c", `
import glob, json, sys
import numpy
print(json.dumps([[str(a.dtype), a.shape, a.ravel().tolist()] for a in map(numpy.load, sorted(glob.glob(sys.argv[1] + "/*.npy")))]))
`, dir)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var got, expected any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte("["+strings.Join(want, ",")+"]"), &expected); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(got)
	if b, _ := json.Marshal(expected); !bytes.Equal(a, b) {
		t.Errorf("NumPy reads %s, want %s", a, b)
	}
}

func TestNPYRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	for what, x := range map[string]NamedTensor{
		"no value": {Name: "a"}, "dtype": {Name: "a", Value: denseOf([]bool{true}, 1)}, "name": {Value: denseOf([]int{1}, 1)},
	} {
		if err := WriteNPY(path, x); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
}

// Weights are what has the prefix, without it.
func TestReadWeights(t *testing.T) {
	dir := t.TempDir()
	w := NamedTensor{Name: WeightPrefix + "w", Value: denseOf([]float32{1, 2}, 2)}
	path := filepath.Join(dir, "run")
	if err := Write(path, &Snapshot{Tensors: []NamedTensor{{Name: "state/w", Value: w.Value}, w}}); err != nil {
		t.Fatal(err)
	}
	w.Name = "w"
	got, err := ReadWeights(path)
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got, []NamedTensor{w})
	if err := WriteSafetensors(path, []NamedTensor{w}); err != nil {
		t.Fatal(err)
	}
	if got, err = ReadWeights(path); err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got, []NamedTensor{w})
	if _, err := ReadWeights(path + "x"); err == nil || !strings.Contains(err.Error(), path+"x") {
		t.Error(err)
	}
}

func TestFloats(t *testing.T) {
	turned := denseOf([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err := turned.T(); err != nil {
		t.Fatal(err)
	}
	x, err := NamedTensor{Name: "a", Value: turned}.Floats()
	if err != nil || len(x) != 6 || x[1] != 4 || x[5] != 6 {
		t.Errorf("%v, %v", x, err)
	}
	for _, bad := range []NamedTensor{{Name: "a"}, {Name: "a", Value: denseOf([]int{1}, 1)}} {
		if _, err := bad.Floats(); err == nil || !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
