package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// The tests train on sets of their own in CIFAR's formats: each class is a
// bright row of the image, among noise.
const trainRows, testRows = 60, 20

// records are n records with so many labels before each image.
func records(rng *rand.Rand, n, labels, classes int) []byte {
	var content []byte
	for i := range n {
		class := i % classes
		for range labels {
			content = append(content, byte(class))
		}
		for at := range 3 * 32 * 32 {
			pixel := byte(rng.IntN(100))
			if at/32%32 == class%10*3+1 {
				pixel = 250
			}
			content = append(content, pixel)
		}
	}
	return content
}

// writeData writes the files of CIFAR-10 and of CIFAR-100.
func writeData(t *testing.T, dir string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	files := map[string][]byte{
		"test_batch.bin": records(rng, testRows, 1, 10),
		"train.bin":      records(rng, trainRows, 2, 20),
		"test.bin":       records(rng, testRows, 2, 20),
	}
	for i := range 5 {
		files[fmt.Sprintf("data_batch_%d.bin", i+1)] = records(rng, trainRows/5, 1, 10)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
