// Package errortest compares errors with what they must say, in tests.
package errortest
