package methods

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"

	"github.com/pkg/errors"
)

//go:embed tuned
var tunedFiles embed.FS

// Tuned has the results of a search on one experiment at one scale, by method.
type Tuned map[string]Winner

// Winner is the best configuration of a search.
type Winner struct {
	Values Values  `json:"values"`
	Loss   float64 `json:"loss"`
	// Accuracy is the accuracy on the validation set where the search maximised it;
	// ByLoss then has the values with the lowest training loss.
	Accuracy float64 `json:"accuracy,omitempty"`
	ByLoss   Values  `json:"by_loss,omitempty"`

	Configs int    `json:"configs"` // number of configurations tried
	Command string `json:"command"`
	Commit  string `json:"commit,omitempty"`
}

// TunedFile is the name of the winners' file of an experiment at a scale.
func TunedFile(experiment, scale string) string { return experiment + "-" + scale + ".json" }

// LoadTuned reads the winners from fsys. It returns none if there is no file.
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

// Search says where to look for the settings of an experiment at a scale.
type Search struct {
	// Experiments are searched in this order for a winner.
	Experiments []string
	Scale       string
	// Spaces is the folder of the search spaces, an argument of SearchSpace.
	Spaces string
	// ByLoss selects the values with the lowest training loss.
	ByLoss bool
}

// Settings returns the method's hyperparameters: those tuned at the scale, else
// those tuned at the small scale, else the space's defaults. source says which.
func (m *Method) Settings(where Search) (v Values, source string, err error) {
	space, err := m.SearchSpace(where.Spaces)
	if err != nil {
		return nil, "", err
	}
	stored, err := fs.Sub(tunedFiles, "tuned")
	if err != nil {
		return nil, "", errors.Wrap(err, "tuned settings")
	}
	for _, experiment := range where.Experiments {
		for _, scale := range []string{where.Scale, "small"} {
			tuned, err := LoadTuned(stored, experiment, scale)
			if err != nil {
				return nil, "", err
			}
			if w, ok := tuned[m.Name]; ok {
				// Hyperparameters added after the search keep their defaults.
				v := space.Defaults()
				maps.Copy(v, w.best(where.ByLoss))
				return v, fmt.Sprintf("tuned %s, %d configurations", path.Join(experiment, scale), w.Configs), nil
			}
		}
	}
	return space.Defaults(), "default", nil
}

// best has the best values by the search's own criterion or by the training loss.
func (w Winner) best(byLoss bool) Values {
	if byLoss && w.ByLoss != nil {
		return w.ByLoss
	}
	return w.Values
}
