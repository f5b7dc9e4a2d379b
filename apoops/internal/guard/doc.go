// Package guard has memory for tests that ends where the processor may not read: what goes
// beyond an array is killed by the system.
package guard
