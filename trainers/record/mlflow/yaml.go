package mlflow

import (
	"encoding/json"
	"strconv"
	"strings"
)

// field is a line of a meta.yaml. The value is a string, a whole number, or nil.
type field struct {
	name  string
	value any
}

// yamlOf writes fields as YAML, strings in double quotes as in JSON.
func yamlOf(fields ...field) ([]byte, error) {
	var b []byte
	for _, f := range fields {
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		b = append(b, f.name...)
		b = append(b, ": "...)
		b = append(append(b, value...), '\n')
	}
	return b, nil
}

// valueIn finds the value of a name in a meta.yaml, which MLflow may have written: plain,
// or in quotes. It is "" where there is none.
func valueIn(text []byte, name string) string {
	for line := range strings.Lines(string(text)) {
		value, ok := strings.CutPrefix(line, name+":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n > 1 && value[0] == '\'' && value[n-1] == '\'' {
			return strings.ReplaceAll(value[1:n-1], "''", "'")
		}
		if s, err := strconv.Unquote(value); err == nil {
			return s
		}
		return value
	}
	return ""
}
