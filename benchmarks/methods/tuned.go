package methods

import (
	"embed"
	"encoding/json"
	"io/fs"
	"path"

	"github.com/pkg/errors"
)

//go:embed tuned
var tunedFiles embed.FS

// Tuned is what a search found on one experiment at one scale, by method.
type Tuned map[string]Winner

// Winner is the best configuration of a search.
type Winner struct {
	Values  Values  `json:"values"`
	Loss    float64 `json:"loss"`
	Configs int     `json:"configs"` // tried
	Command string  `json:"command"`
	Commit  string  `json:"commit,omitempty"`
}

// TunedFile is the name of the file for an experiment at a scale.
func TunedFile(experiment, scale string) string { return experiment + "-" + scale + ".json" }

// LoadTuned reads the winners stored in fsys; none if there is no file.
func LoadTuned(fsys fs.FS, experiment, scale string) (Tuned, error) {
	name := TunedFile(experiment, scale)
	text, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return Tuned{}, nil
	}
	if err != nil {
		return nil, errors.Wrap(err, "tuned settings")
	}
	var t Tuned
	return t, errors.Wrap(json.Unmarshal(text, &t), name)
}

// Settings returns the method's hyperparameters for an experiment: those tuned
// at this scale, those tuned at the small one, or the space's defaults. source
// says which.
func (m *Method) Settings(experiment, scale string) (v Values, source string, err error) {
	space, err := m.SearchSpace()
	if err != nil {
		return nil, "", err
	}
	stored, err := fs.Sub(tunedFiles, "tuned")
	if err != nil {
		return nil, "", errors.Wrap(err, "tuned settings")
	}
	for _, s := range []string{scale, "small"} {
		tuned, err := LoadTuned(stored, experiment, s)
		if err != nil {
			return nil, "", err
		}
		if w, ok := tuned[m.Name]; ok {
			// Hyperparameters that are newer than the search keep their defaults.
			v := space.Defaults()
			for name, value := range w.Values {
				v[name] = value
			}
			return v, "tuned " + path.Join(experiment, s), nil
		}
	}
	return space.Defaults(), "default", nil
}
