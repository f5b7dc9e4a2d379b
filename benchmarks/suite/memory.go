package suite

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
)

// memoryMeter measures the resident memory of this process.
type memoryMeter struct{ start int64 }

// startMemory gives free memory back and forgets the peak so far, where the
// system can do that (Linux).
func startMemory() memoryMeter {
	debug.FreeOSMemory()
	// An error leaves the peak of loading the data in.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	return memoryMeter{processStatus("VmRSS")}
}

// peak is the largest resident memory since the start; 0 where it is not known.
func (memoryMeter) peak() int64 { return processStatus("VmHWM") }

// processStatus is a field of Linux's description of this process, in bytes.
func processStatus(field string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) == 3 && string(words[0]) == field+":" && string(words[2]) == "kB" {
			n, _ := strconv.ParseInt(string(words[1]), 10, 64)
			return n * 1024
		}
	}
	return 0
}
