package experiments

import (
	"testing"

	"gorgonia.org/tensor"
)

func TestPool(t *testing.T) {
	x := tensor.New(tensor.WithShape(2, 16), tensor.WithBacking([]float32{
		1, 3, 0, 0, 5, 7, 0, 4, 0, 0, 8, 8, 0, 0, 8, 8,
		2, 2, 1, 1, 2, 2, 1, 1, 3, 3, 4, 4, 3, 3, 4, 4,
	}))
	got, err := pool(x, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{4, 1, 0, 8, 2, 1, 3, 4} {
		if got.Float32s()[i] != want {
			t.Fatalf("pixel %d is %v, want %v", i, got.Float32s()[i], want)
		}
	}
	if _, err := pool(x, 4, 3); err == nil {
		t.Fatal("squares that do not fit were accepted")
	}
}
