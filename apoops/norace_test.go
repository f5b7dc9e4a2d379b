//go:build !race

package apoops

const raceEnabled = false
