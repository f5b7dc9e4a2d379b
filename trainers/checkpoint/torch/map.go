package torch

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
)

// Map has, by the name of a parameter here, the tensors of a state dict with the same
// numbers. A tensor belongs to one parameter.
type Map map[string]Source

// Source names the tensors that one parameter is made of. In a file it is an object with
// the names in lower case, or a text: "fc1" stands for the weight "fc1.weight" and the bias
// "fc1.bias".
type Source struct {
	Weight string `json:"weight"`
	// Bias becomes the last row of the parameter; "" where it has none.
	Bias string `json:"bias,omitempty"`
	// Kernel has the rows and columns of a convolution's kernel. Export needs it to give
	// the weight its four axes; without it the weight is outputs×inputs. Import compares
	// it, unless it is missing.
	Kernel []int `json:"kernel,omitempty"`
	// Keep leaves the axes as they are: of tables, for other parameters of one axis or
	// of more than two are never moved.
	Keep bool `json:"keep,omitempty"`
	// Vector is for a parameter of any shape whose weight has a single axis, such as a
	// bias that is a row, 1×outputs, in a user's graph.
	Vector bool `json:"vector,omitempty"`
}

// UnmarshalJSON reads an object or the name of a module.
func (s *Source) UnmarshalJSON(text []byte) error {
	var module string
	if json.Unmarshal(text, &module) == nil {
		if module == "" {
			return errors.New("a module without a name")
		}
		*s = ofModule(module, true)
		return nil
	}
	type fields Source // without this method
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode((*fields)(s))
}

func ofModule(name string, bias bool) Source {
	s := Source{Weight: name + ".weight"}
	if bias {
		s.Bias = name + ".bias"
	}
	return s
}

// ReadMap reads a map from a JSON file such as
//
//	{
//		"conv0": {"weight": "features.0.weight", "bias": "features.0.bias", "kernel": [5, 5]},
//		"bn1/scale": {"weight": "features.1.weight"},
//		"dense2": "classifier"
//	}
func ReadMap(file string) (Map, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.Wrap(err, "trainers: torch: name map")
	}
	var m Map
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&m); err != nil {
		return nil, errors.Wrapf(err, "trainers: torch: name map %s", file)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.Errorf("trainers: torch: name map %s: there is more behind the JSON object", file)
	}
	return m, errors.WithMessagef(m.check(), "trainers: torch: name map %s", file)
}

// roles are what PyTorch calls the arrays of a normalisation.
var roles = map[string]string{
	"scale": "weight", "gain": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var",
}

// Modules makes a Map from the names of modules in PyTorch by those of layers here, such
// as "conv0" or "bn1": with the usual names within modules, "weight", "bias", "running_mean" and
// "running_var". It fails for parameters without a module and modules without a parameter.
func Modules(params []*graph.Param, modules map[string]string) (Map, error) {
	m, used := make(Map), make(map[string]bool)
	var wrong problems
	for _, p := range params {
		layer, role := path.Split(p.Name)
		layer = path.Clean(layer)
		if module, ok := modules[p.Name]; ok {
			used[p.Name] = true
			s := ofModule(module, p.Bias)
			s.Keep = !p.Matrix
			if p.Kernel != [2]int{} {
				s.Kernel = slices.Clone(p.Kernel[:])
			}
			m[p.Name] = s
		} else if module, ok := modules[layer]; ok && roles[role] != "" {
			used[layer] = true
			m[p.Name] = Source{Weight: module + "." + roles[role], Keep: true}
		} else {
			wrong.add("no module for the parameter %q", p.Name)
		}
	}
	for _, layer := range slices.Sorted(maps.Keys(modules)) {
		if !used[layer] {
			wrong.add("the model has no layer %q for the module %q", layer, modules[layer])
		}
	}
	if err := wrong.err(); err != nil {
		return nil, errors.WithMessage(err, "trainers: torch")
	}
	return m, errors.WithMessage(m.check(), "trainers: torch")
}

// check reports what is wrong with the map whatever the model is.
func (m Map) check() error {
	var wrong problems
	user := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		s := m[name]
		if s.Weight == "" {
			wrong.add("parameter %q: no weight", name)
		}
		if (s.Keep || s.Vector) && (s.Bias != "" || s.Kernel != nil) || s.Keep && s.Vector {
			wrong.add("parameter %q: keep and vector exclude each other, a bias and a kernel", name)
		}
		if s.Kernel != nil && (len(s.Kernel) != 2 || slices.Min(s.Kernel) < 1) {
			wrong.add("parameter %q: kernel %v: it must be two positive numbers, rows and columns", name, s.Kernel)
		}
		for _, tensor := range s.tensors() {
			if other, ok := user[tensor]; ok {
				wrong.add("tensor %q belongs to %q and to %q", tensor, other, name)
			}
			user[tensor] = name
		}
	}
	return wrong.err()
}

// tensors are the names in PyTorch.
func (s Source) tensors() []string {
	var all []string
	for _, name := range []string{s.Weight, s.Bias} {
		if name != "" {
			all = append(all, name)
		}
	}
	return all
}
