//go:build race

package apoops

const raceEnabled = true
