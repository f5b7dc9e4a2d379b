package checkpoint

import (
	"strings"

	"github.com/pkg/errors"
)

// WeightPrefix begins the names of a model's parameters in a Trainer's checkpoint.
const WeightPrefix = "theta/"

// Weights are the parameters of a model among the tensors of a Trainer's checkpoint, its
// statistics included, by the names that they have in the model.
func (s *Snapshot) Weights() []NamedTensor {
	var all []NamedTensor
	for _, t := range s.Tensors {
		if name, ok := strings.CutPrefix(t.Name, WeightPrefix); ok {
			t.Name = name
			all = append(all, t)
		}
	}
	return all
}

// ReadWeights reads the Weights of a checkpoint, or all tensors of a safetensors file. A
// file that does not begin like a checkpoint is taken for the latter.
func ReadWeights(path string) ([]NamedTensor, error) {
	whole, err := Recognize(path)
	if err != nil {
		return nil, errors.Wrap(err, "trainers: weights")
	}
	if !whole {
		return ReadSafetensors(path)
	}
	s, err := Read(path)
	if err != nil {
		return nil, err
	}
	return s.Weights(), nil
}
