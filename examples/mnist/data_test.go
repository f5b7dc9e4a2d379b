package main

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// The tests train on a set of their own in MNIST's format: each class is a
// bright row of the image, among noise.
const trainRows, testRows = 60, 20

// writeData writes the four files.
func writeData(t *testing.T, dir string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, part := range []struct {
		name string
		rows int
	}{{"train", trainRows}, {"t10k", testRows}} {
		images, labels := make([]byte, part.rows*pixels), make([]byte, part.rows)
		for i := range images {
			images[i] = byte(rng.IntN(100))
		}
		for i := range labels {
			labels[i] = byte(i % classes)
			row := images[i*pixels+28*(2*int(labels[i])+4):][:28]
			for j := range row {
				row[j] = 255
			}
		}
		writeIDX(t, filepath.Join(dir, part.name+"-images-idx3-ubyte"), images, part.rows, 28, 28)
		writeIDX(t, filepath.Join(dir, part.name+"-labels-idx1-ubyte"), labels, part.rows)
	}
}

func writeIDX(t *testing.T, path string, data []byte, shape ...int) {
	t.Helper()
	content := []byte{0, 0, 8, byte(len(shape))}
	for _, n := range shape {
		content = binary.BigEndian.AppendUint32(content, uint32(n))
	}
	if err := os.WriteFile(path, append(content, data...), 0o666); err != nil {
		t.Fatal(err)
	}
}
