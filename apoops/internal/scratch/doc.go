// Package scratch shares temporary memory among ops that never run at the same time.
package scratch
