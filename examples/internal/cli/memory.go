package cli

import (
	"bytes"
	"os"
	"strconv"
)

// unknownMemory is assumed where the memory of the machine is unknown.
const unknownMemory = 64 << 30

// MachineMemory is the memory that this process may have, in bytes: the machine's
// or, where it is less, that of its container; 64 GiB where neither is known. It
// knows Linux's.
func MachineMemory() int64 {
	all := int64(unknownMemory)
	if n := memoryTotal(); n > 0 {
		all = n
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		// "max" is no number: there is no limit.
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && n > 0 {
			all = min(all, n)
		}
	}
	return all
}

// memoryTotal is the machine's memory, 0 where it is not known.
func memoryTotal() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) == 3 && string(words[0]) == "MemTotal:" && string(words[2]) == "kB" {
			n, _ := strconv.ParseInt(string(words[1]), 10, 64)
			return n * 1024
		}
	}
	return 0
}
