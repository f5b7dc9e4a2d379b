package runlog

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"

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

// ReadSettings reads the settings of the run in the folder.
func ReadSettings(dir string, settings any) error {
	path := filepath.Join(dir, SettingsJSON)
	text, err := os.ReadFile(path)
	if err != nil {
		return errors.Wrap(err, "nothing to resume")
	}
	return errors.Wrap(json.Unmarshal(text, settings), path)
}

// SameSettings reports the first setting that differs from that of the run in the
// folder.
func SameSettings(dir string, now, stored any) error {
	a, err := fields(now)
	if err != nil {
		return err
	}
	b, err := fields(stored)
	if err != nil {
		return err
	}
	for name := range a {
		if !reflect.DeepEqual(a[name], b[name]) {
			return errors.Errorf("-resume: %s is %v, but the run in %s was started with %v", name, a[name], dir, b[name])
		}
	}
	return nil
}

// fields are the settings by their names in the file.
func fields(settings any) (map[string]any, error) {
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	err = json.Unmarshal(text, &fields)
	return fields, err
}

// Clear removes what an earlier run left in these files and its settings. The new
// run's settings are written last: with them it can be resumed.
func Clear(dir string, names ...string) error {
	for _, name := range append([]string{SettingsJSON}, names...) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
