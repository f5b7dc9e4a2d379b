package resident

import (
	"bytes"
	"os"
	"strconv"
)

// Now is the current resident memory in bytes, or 0 if it is unknown.
func Now() int64 { return status("VmRSS") }

// Peak is the largest resident memory of the process so far in bytes, or 0 if it is
// unknown.
func Peak() int64 { return status("VmHWM") }

// ResetPeak sets the peak to the current resident memory, if the system allows it.
func ResetPeak() {
	// After an error the peak stays as it is.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// status is a field of /proc/self/status in bytes.
func status(field string) int64 {
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
