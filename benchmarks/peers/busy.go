package peers

import (
	"fmt"
	"os"
	"runtime"
)

// Busy returns a warning if programs kept at least half of the cores busy in the
// last minute (Linux's load average), "" otherwise. Times are unreliable then, and
// ratios less reliable.
func Busy() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return busyWith(string(text), runtime.NumCPU())
}

func busyWith(loadavg string, cores int) string {
	var load float64
	if _, err := fmt.Sscan(loadavg, &load); err != nil || load < float64(cores)/2 {
		return ""
	}
	return fmt.Sprintf("The machine is busy, load %.1f on %d cores: do not trust these times.\n", load, cores)
}
