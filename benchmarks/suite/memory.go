package suite

import (
	"runtime/debug"

	"github.com/apo-gorgonia/apo/benchmarks/resident"
)

// memoryMeter measures the resident memory of this process.
type memoryMeter struct{ start int64 }

// startMemory gives free memory back and forgets the peak so far, of loading the
// data, where the system can do that.
func startMemory() memoryMeter {
	debug.FreeOSMemory()
	resident.ForgetPeak()
	return memoryMeter{resident.Now()}
}

// peak is the largest resident memory since the start; 0 where it is not known.
func (memoryMeter) peak() int64 { return resident.Peak() }
