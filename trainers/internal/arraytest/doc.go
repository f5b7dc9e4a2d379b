// Package arraytest compares arrays bit for bit in tests of update rules.
package arraytest
