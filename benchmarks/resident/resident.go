package resident

import (
	"bytes"
	"os"
	"strconv"
)

// Now is the resident memory in bytes; 0 where it is not known.
func Now() int64 { return status("VmRSS") }

// Peak is the largest resident memory of the process so far, in bytes; 0 where it
// is not known.
func Peak() int64 { return status("VmHWM") }

// ForgetPeak starts Peak anew, where the system can do that.
func ForgetPeak() {
	// An error leaves the peak so far in.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// status is a field of Linux's description of this process, in bytes.
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
