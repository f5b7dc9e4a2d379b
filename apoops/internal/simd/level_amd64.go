package simd

import "golang.org/x/sys/cpu"

// best is the highest level of the processor and the system.
func best() Level {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX2:
		return AVX512
	case cpu.X86.HasAVX2:
		return AVX2
	}
	return Off
}
