package runlog

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// SettingsJSON is the file of a run's settings, by which -resume goes on with the
// same ones.
const SettingsJSON = "settings.json"

// WriteJSON writes v to a file of the folder, in a single step.
func WriteJSON(dir, name string, v any) error {
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, name), append(text, '\n'))
}

// Keys are the names that settings have in the file, by those of their JSON tags.
// Names that are missing are the same.
type Keys map[string]string

// WriteSettings writes the settings of the run in the folder.
func WriteSettings(dir string, settings any, keys Keys) error {
	fields, err := Fields(settings, keys)
	if err != nil {
		return err
	}
	return WriteJSON(dir, SettingsJSON, fields)
}

// ReadSettings reads the settings of the run in the folder.
func ReadSettings(dir string, settings any, keys Keys) error {
	path := filepath.Join(dir, SettingsJSON)
	text, err := os.ReadFile(path)
	if err != nil {
		return errors.Wrap(err, "nothing to resume")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return errors.Wrap(err, path)
	}
	for name, key := range keys {
		if value, ok := fields[key]; ok {
			fields[name] = value
			delete(fields, key)
		}
	}
	if text, err = json.Marshal(fields); err != nil {
		return errors.Wrap(err, path)
	}
	return errors.Wrap(json.Unmarshal(text, settings), path)
}

// Fields are the settings by their names in the file.
func Fields(settings any, keys Keys) (map[string]any, error) {
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a seed has more digits than a float64
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	for name, key := range keys {
		if value, ok := fields[name]; ok {
			fields[key] = value
			delete(fields, name)
		}
	}
	return fields, nil
}

// Params are the settings as texts.
func Params(settings any, keys Keys) (map[string]string, error) {
	fields, err := Fields(settings, keys)
	if err != nil {
		return nil, err
	}
	params := make(map[string]string, len(fields))
	for name, value := range fields {
		text, ok := value.(string)
		if !ok {
			content, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			text = string(content)
		}
		params[name] = text
	}
	return params, nil
}

// SameFields reports the first setting that differs from that of the run in the
// folder.
func SameFields(dir string, now, stored map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if !reflect.DeepEqual(now[name], stored[name]) {
			return errors.Errorf("-resume: %s is %v, but the run in %s was started with %v", name, now[name], dir, stored[name])
		}
	}
	return nil
}

// Clear removes what an earlier run left in these files, its settings and its further
// logs. The new run's settings are written last: with them it can be resumed.
func Clear(dir string, names ...string) error {
	for _, name := range append([]string{SettingsJSON}, names...) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return ClearFurther(dir)
}
