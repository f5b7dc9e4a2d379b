package parity

import (
	"bytes"
	"math"
	"strings"
)

// nonFinite has the numbers NaN, Infinity and -Infinity of diverged runs. They are not
// JSON, but common JSON writers write them. Before decoding, each is replaced by a
// string of the same length, so that offsets in errors stay correct: delete characters
// in quotes, which no fixture contains. After decoding, the numbers replace the
// strings.
var nonFinite = []struct {
	text  string
	value float64
}{
	{"NaN", math.NaN()},
	{"Infinity", math.Inf(1)},
	{"-Infinity", math.Inf(-1)},
}

const filler = "\x7f"

// hideNonFinite replaces the numbers outside strings. It changes data.
func hideNonFinite(data []byte) {
	quoted := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == 'N' || c == 'I' || c == '-'):
			for _, n := range nonFinite {
				if bytes.HasPrefix(data[i:], []byte(n.text)) {
					copy(data[i:], `"`+strings.Repeat(filler, len(n.text)-2)+`"`)
					i += len(n.text) - 1
					break
				}
			}
		}
	}
}

// showNonFinite puts the numbers back into a decoded value.
func showNonFinite(v any) any {
	switch v := v.(type) {
	case string:
		for _, n := range nonFinite {
			if v == strings.Repeat(filler, len(n.text)-2) {
				return n.value
			}
		}
	case []any:
		for i, w := range v {
			v[i] = showNonFinite(w)
		}
	case map[string]any:
		for key, w := range v {
			v[key] = showNonFinite(w)
		}
	}
	return v
}

// finite reports whether all numbers are finite.
func finite(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// allFinite is finite for several arrays.
func allFinite(arrays [][]float64) bool {
	for _, a := range arrays {
		if !finite(a) {
			return false
		}
	}
	return true
}
