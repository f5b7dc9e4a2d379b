package peers

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// watched is how long Busy watches the machine.
const watched = 500 * time.Millisecond

// Busy watches the machine for half a second, in which the caller does nothing. It returns
// a warning if other programs used a tenth of the processors' time or more (Linux's
// /proc/stat), "" otherwise and on other systems. Times are unreliable then, and ratios less
// reliable.
func Busy() string {
	before, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ""
	}
	time.Sleep(watched)
	after, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ""
	}
	return busyBetween(string(before), string(after))
}

// busyBetween is the warning for two readings of /proc/stat.
func busyBetween(before, after string) string {
	idle, all := ticks(before)
	laterIdle, laterAll := ticks(after)
	if laterAll <= all {
		return ""
	}
	used := 1 - (laterIdle-idle)/(laterAll-all)
	if !(used >= 0.1) {
		return ""
	}
	return fmt.Sprintf("The machine is busy: other programs use %.0f%% of the processors' time. Do not trust these times.\n", 100*used)
}

// ticks are the time in which all processors were idle, waiting for disks included, and
// their whole time. Time that another machine on the same host took is not idle.
func ticks(stat string) (idle, all float64) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[0] != "cpu" {
		return 0, 0
	}
	// user nice system idle iowait irq softirq steal; guests are part of user and nice.
	for i, f := range fields[1:min(len(fields), 9)] {
		var v float64
		if _, err := fmt.Sscan(f, &v); err != nil {
			return 0, 0
		}
		all += v
		if i == 3 || i == 4 {
			idle += v
		}
	}
	return idle, all
}
