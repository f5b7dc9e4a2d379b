package cli

import (
	"bytes"
	"os"
	"strconv"
)

// unknownMemory stands for the memory of a machine that does not tell its own.
const unknownMemory = 64 << 30

// MachineMemory is the machine's memory in bytes, 64 GiB where it is not known. It
// knows Linux's.
func MachineMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return unknownMemory
	}
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) == 3 && string(words[0]) == "MemTotal:" && string(words[2]) == "kB" {
			if n, err := strconv.ParseInt(string(words[1]), 10, 64); err == nil && n > 0 {
				return n * 1024
			}
		}
	}
	return unknownMemory
}
