package half

import (
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// both runs a test with and without the processor's vectors.
func both(t *testing.T, test func(t *testing.T)) {
	for _, level := range simd.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			defer simd.Set(simd.Set(level))
			test(t)
		})
	}
}
