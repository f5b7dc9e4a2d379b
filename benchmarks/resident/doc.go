// Package resident reads the resident memory of this process: the pages it has in
// the machine's memory, its program and libraries included. It knows Linux's.
package resident
