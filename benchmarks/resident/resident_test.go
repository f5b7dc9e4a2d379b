package resident

import (
	"runtime"
	"testing"
)

func TestPeakSeesWhatIsTouched(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the resident memory is known only on Linux")
	}
	before := Now()
	if before <= 0 || Peak() < before {
		t.Fatalf("%d bytes now, %d at the peak", before, Peak())
	}
	const n = 64 << 20
	b := make([]byte, n)
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	if grown := Peak() - before; grown < n-n/8 {
		t.Fatalf("the peak grew by %d bytes when %d were touched", grown, n)
	}
	runtime.KeepAlive(b)
}
