package checkpoint_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

func ExampleWrite() {
	folder, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "run.ckpt")

	w := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6}))
	err = checkpoint.Write(path, &checkpoint.Snapshot{
		Meta:    json.RawMessage(`{"step":100}`),
		Tensors: []checkpoint.NamedTensor{{Name: "w", Value: w}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	s, err := checkpoint.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", s.Meta)
	for _, t := range s.Tensors {
		fmt.Println(t.Name, t.Value.Shape(), t.Value.Data())
	}
	// Output:
	// {"step":100}
	// w (2, 3) [1 2 3 4 5 6]
}

func ExampleCompare() {
	stored, err := checkpoint.Settings(map[string]any{"optimizer": "adam", "K": 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	own, err := checkpoint.Settings(map[string]any{"optimizer": "adam", "K": 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(checkpoint.Compare(stored, own))
	// Output:
	// written with K 10, this training has 5
}

// Weights for other programs, with all their digits and rounded to 16 bits.
func ExampleWriteSafetensors() {
	folder, err := os.MkdirTemp("", "weights")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "weights.safetensors")
	weights := []checkpoint.NamedTensor{{Name: "w", Value: tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{1, 1.0 / 3}))}}
	for _, write := range []func() error{
		func() error { return checkpoint.WriteSafetensors(path, weights) },
		func() error { return checkpoint.WriteSafetensors16(path, apoops.BFloat16, weights) },
	} {
		if err := write(); err != nil {
			fmt.Println(err)
			return
		}
		stored, err := checkpoint.ReadSafetensors(path)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(stored[0].Name, stored[0].Value.Data())
	}
	// Output:
	// w [1 0.33333334]
	// w [1 0.33398438]
}

// The weights of a file that is a checkpoint or has weights alone.
func ExampleReadWeights() {
	folder, err := os.MkdirTemp("", "weights")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	w := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{1, 2}))
	run, alone := filepath.Join(folder, "run.ckpt"), filepath.Join(folder, "weights.safetensors")
	if err := checkpoint.Write(run, &checkpoint.Snapshot{Meta: json.RawMessage("{}"), Tensors: []checkpoint.NamedTensor{
		{Name: checkpoint.WeightPrefix + "w", Value: w}, {Name: "phi/log rate", Value: w},
	}}); err != nil {
		fmt.Println(err)
		return
	}
	if err := checkpoint.WriteSafetensors(alone, []checkpoint.NamedTensor{{Name: "w", Value: w}}); err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{run, alone} {
		is, err := checkpoint.Recognize(path)
		if err != nil {
			fmt.Println(err)
			return
		}
		weights, err := checkpoint.ReadWeights(path)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("a checkpoint: %t, weights:", is)
		for _, t := range weights {
			fmt.Println("", t.Name, t.Value.Data())
		}
	}
	// Output:
	// a checkpoint: true, weights: w [1 2]
	// a checkpoint: false, weights: w [1 2]
}

// For numpy.load.
func ExampleWriteNPY() {
	folder, err := os.MkdirTemp("", "arrays")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "w.npy")
	w := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6}))
	if err := checkpoint.WriteNPY(path, checkpoint.NamedTensor{Name: "w", Value: w}); err != nil {
		fmt.Println(err)
		return
	}
	content, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, header, _ := strings.Cut(string(content), "{")
	header, _, _ = strings.Cut(header, "}")
	fmt.Println(header)
	// Output: 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3),
}

// A checkpoint that came another way than from a file, and one whose last byte is missing.
func ExampleDecode() {
	folder, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "run.ckpt")
	if err := checkpoint.Write(path, &checkpoint.Snapshot{Meta: json.RawMessage(`{"step":100}`)}); err != nil {
		fmt.Println(err)
		return
	}
	content, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := checkpoint.Decode(content)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", s.Meta)
	_, err = checkpoint.Decode(content[:len(content)-1])
	fmt.Println(errors.Is(err, checkpoint.ErrCorrupt))
	// Output:
	// {"step":100}
	// true
}
