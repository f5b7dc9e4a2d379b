package torch

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// Export makes the tensors of a state dict from all parameters of a model: of each, in
// their order, its weight and then its bias, in the parameter's dtype. It is the inverse
// of Import.
//
// It fails where a parameter is not in the map or not finite, does not fit its Source, and
// where the map has more than the model.
func (m Map) Export(params []checkpoint.NamedTensor) ([]checkpoint.NamedTensor, error) {
	if err := m.checkWith(params); err != nil {
		return nil, errors.WithMessage(err, "trainers: torch")
	}
	var wrong problems
	var all []checkpoint.NamedTensor
	for _, p := range params {
		s, ok := m[p.Name]
		if !ok {
			wrong.add("parameter %q is not in the map", p.Name)
			continue
		}
		parts, err := s.parted(p)
		if err != nil {
			wrong.add("%v", err)
		}
		all = append(all, parts...)
	}
	m.checkNames(byName(params), &wrong)
	if err := wrong.err(); err != nil {
		return nil, errors.WithMessage(err, "trainers: torch")
	}
	return all, nil
}

// parted are the weight and the bias of a parameter.
func (s Source) parted(p checkpoint.NamedTensor) ([]checkpoint.NamedTensor, error) {
	x, err := finite(p, p.Dtype())
	if err != nil {
		return nil, err
	}
	shape := p.Value.Shape()
	var bias []float64
	if s.moved(shape) {
		inputs, outputs, err := s.sizes(p.Name, shape)
		if err != nil {
			return nil, err
		}
		if shape, err = s.weightShape(p.Name, inputs, outputs); err != nil {
			return nil, err
		}
		bias = x[inputs*outputs:]
		x = transposed(x[:inputs*outputs], inputs, outputs)
	} else if s.Bias != "" || s.Kernel != nil {
		return nil, errors.Errorf("parameter %q of shape %v is no matrix: it has neither bias nor kernel", p.Name, shape)
	}
	if !s.moved(p.Value.Shape()) {
		shape = s.kept(shape)
	}
	weight, err := dense(p.Dtype(), shape, x)
	if err != nil {
		return nil, err
	}
	parts := []checkpoint.NamedTensor{{Name: s.Weight, Value: weight}}
	if s.Bias != "" {
		b, err := dense(p.Dtype(), []int{len(bias)}, slices.Clone(bias))
		if err != nil {
			return nil, err
		}
		parts = append(parts, checkpoint.NamedTensor{Name: s.Bias, Value: b})
	}
	return parts, nil
}
