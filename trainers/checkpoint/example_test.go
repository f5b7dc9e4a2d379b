package checkpoint_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gorgonia.org/tensor"

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
