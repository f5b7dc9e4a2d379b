package suite

import (
	"runtime/debug"

	"github.com/apo-gorgonia/apo/benchmarks/resident"
)

// memoryMeter measures the resident memory of this process.
type memoryMeter struct{ start int64 }

// startMemory returns free memory to the system and resets the peak, so that loading
// the data does not count. It does so only where the system supports it.
func startMemory() memoryMeter {
	debug.FreeOSMemory()
	resident.ResetPeak()
	return memoryMeter{resident.Now()}
}

// peak is the largest resident memory since the start, or 0 if it is unknown.
func (memoryMeter) peak() int64 { return resident.Peak() }
