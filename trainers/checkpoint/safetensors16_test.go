package checkpoint

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/python"
)

var formats = []half.Format{half.Float16, half.BFloat16}

func TestSafetensors16AllPatterns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	for _, f := range formats {
		x := make([]float32, 0, 1<<16)
		for b := range 1 << 16 {
			if v := half.FromBits(f, uint16(b)); v == v {
				x = append(x, float32(v))
			}
		}
		want := []NamedTensor{{Name: "w", Value: denseOf(x, len(x)/2, 2)}, {Name: "n", Value: denseOf([]int{1, -2}, 2)}}
		if err := WriteSafetensors16(path, f, want); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		sameTensors(t, got, want)
	}
}

func TestSafetensors16Rounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 4))
	single, double := make([]float32, 1000), make([]float64, 1000)
	for i := range single {
		single[i], double[i] = float32(rng.NormFloat64()), rng.NormFloat64()
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	for _, f := range formats {
		if err := WriteSafetensors16(path, f, []NamedTensor{{Name: "a", Value: denseOf(single, 10, 100)}, {Name: "b", Value: denseOf(double, 1000)}}); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range single {
			if a, b := got[0].Value.Float32s()[i], got[1].Value.Float32s()[i]; float64(a) != half.Nearest(f, float64(single[i])) || float64(b) != half.Nearest(f, double[i]) {
				t.Fatalf("%v: %v and %v became %v and %v", f, single[i], double[i], a, b)
			}
		}
	}
}

func TestSafetensors16Refuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	large := []NamedTensor{{Name: "small", Value: denseOf([]float32{1}, 1)}, {Name: "conv1.w", Value: denseOf([]float32{1, 2, -65520}, 3)}}
	err := WriteSafetensors16(path, half.Float16, large)
	for _, part := range []string{path, "conv1.w", "element 2", "-65520", "65504"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Fatalf("%v does not say %q", err, part)
		}
	}
	if err := WriteSafetensors16(path, half.Format(7), large[:1]); err == nil || !strings.Contains(err.Error(), "7") {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("a file was written")
	}
	if err := WriteSafetensors16(path, half.BFloat16, large); err != nil {
		t.Fatal(err)
	}
	endless := []NamedTensor{{Name: "w", Value: denseOf([]float64{math.Inf(-1), 65519}, 2)}}
	if err := WriteSafetensors16(path, half.Float16, endless); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadSafetensors(path); err != nil || !math.IsInf(float64(got[0].Value.Float32s()[0]), -1) || got[0].Value.Float32s()[1] != 65504 {
		t.Fatal(got, err)
	}
}

// TestSafetensors16WithTorch: PyTorch opens the files to the same values, and its own
// files are read to the same ones.
func TestSafetensors16WithTorch(t *testing.T) {
	python := python.With(t.Context(), "torch", "numpy")
	if python == "" {
		t.Skip("needs a python3 with PyTorch and NumPy")
	}
	folder := t.TempDir()
	script := []string{"testdata/safetensors16.py"}
	values := make([][]float32, len(formats))
	for i, f := range formats {
		var x []float32
		for b := range 1 << 16 {
			if v := half.FromBits(f, uint16(b)); v == v {
				x = append(x, float32(v))
			}
		}
		values[i] = x
		in, out := filepath.Join(folder, fmt.Sprint("in", i)), filepath.Join(folder, fmt.Sprint("out", i))
		script = append(script, in, out)
		if err := WriteSafetensors16(in, f, []NamedTensor{{Name: "w", Value: denseOf(x, 2, len(x)/2)}}); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := exec.Command(python, script...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	for i, x := range values {
		got, err := ReadSafetensors(filepath.Join(folder, fmt.Sprint("out", i)))
		if err != nil {
			t.Fatal(err)
		}
		want := denseOf(x, 2, len(x)/2)
		sameTensors(t, got, []NamedTensor{{Name: "w.float32", Value: want}, {Name: "w", Value: want.Clone().(*tensor.Dense)}})
	}
}
