package main

import (
	"strings"
	"testing"
)

// lenet are the default settings.
func lenet() *settings {
	s := new(settings)
	s.SetDefaults()
	return s
}

// TestMemory has batches that fit and batches that fit nowhere.
func TestMemory(t *testing.T) {
	for _, test := range []struct {
		model string
		batch int
		fits  bool
	}{{"lenet", 128, true}, {"lenet", 1001, true}, {"wrn-28-10", 90000, false}, {"vgg16", 1000, true}} {
		s := lenet()
		s.Net, s.Batch = test.model, test.batch
		err := s.Check()
		if test.fits != (err == nil) {
			t.Errorf("%s on %d images: %v", test.model, test.batch, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "-batch 90000") || !strings.Contains(err.Error(), "of memory or more")) {
			t.Error(err)
		}
	}
	// LeNet's convolutions alone have 6×28×28 and 16×10×10 values for an image.
	model, err := lenet().Model()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := valuesOf(model); err != nil || n < 6*28*28+16*10*10 || n > 100*1000 {
		t.Errorf("%v values, %v", n, err)
	}
}
