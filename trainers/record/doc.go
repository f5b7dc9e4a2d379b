// Package record has the statistics of training steps.
package record
