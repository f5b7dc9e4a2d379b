package mlflow

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"path"
	"strconv"
	"strings"
)

// fileName is a name as MLflow allows it, a path below the folder of its kind: letters,
// digits, and _ - . space and slash. Underscores stand for all else.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-. /", r) {
			return r
		}
		return '_'
	}, name)
	parts := strings.Split(name, "/")
	for i, p := range parts {
		if path.Clean(p) == "." || p == ".." { // empty ones too
			parts[i] = strings.Repeat("_", max(len(p), 1))
		}
	}
	return strings.Join(parts, "/")
}

// runID is the identifier of a run, the same for the same names: a run that goes on finds
// its folder by it.
func runID(experiment, run string) string {
	sum := sha256.Sum256([]byte(experiment + "\x00" + run))
	return hex.EncodeToString(sum[:16])
}

// experimentID is the identifier of a new experiment: 18 digits, as MLflow's are.
func experimentID(name string) string {
	if name == defaultExperiment {
		return "0"
	}
	sum := sha256.Sum256([]byte(name))
	const least = 100_000_000_000_000_000
	return strconv.FormatUint(least+binary.LittleEndian.Uint64(sum[:])%(9*least), 10)
}
