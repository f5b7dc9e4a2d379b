// Package resident reads the resident memory of this process: the part of its memory,
// program and libraries included, that is in the machine's RAM. It supports Linux; on
// other systems all sizes are 0, which means unknown.
//
//	resident.ResetPeak()
//	train()
//	fmt.Println(resident.Peak())
package resident
