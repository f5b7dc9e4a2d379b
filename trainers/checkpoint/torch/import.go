package torch

import (
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// counter ends the names of what nn.BatchNorm counts and nothing here needs.
const counter = "num_batches_tracked"

// Import makes parameters from the tensors of a state dict: one for each of like, whose
// names, shapes and dtypes they have. Like and tensors stay as they are.
//
// It fails where a parameter is not in the map, a tensor is missing, of another shape, no
// float or not finite, and where map or tensors have more than the model.
func (m Map) Import(like, tensors []checkpoint.NamedTensor) ([]checkpoint.NamedTensor, error) {
	if err := m.checkWith(like, tensors); err != nil {
		return nil, errors.WithMessage(err, "trainers: torch")
	}
	var wrong problems
	stored := byName(tensors)
	var all []checkpoint.NamedTensor
	for _, p := range like {
		s, ok := m[p.Name]
		if !ok {
			wrong.add("parameter %q is not in the map", p.Name)
			continue
		}
		parts, ok := s.find(p.Name, stored, &wrong)
		if !ok {
			continue
		}
		value, err := s.joined(p, parts)
		if err != nil {
			wrong.add("%v", err)
			continue
		}
		all = append(all, checkpoint.NamedTensor{Name: p.Name, Value: value})
	}
	m.checkNames(byName(like), &wrong)
	for _, t := range tensors {
		if !m.takes(t.Name) && !strings.HasSuffix(t.Name, counter) {
			wrong.add("tensor %q is not in the map", t.Name)
		}
	}
	if err := wrong.err(); err != nil {
		return nil, errors.WithMessage(err, "trainers: torch")
	}
	return all, nil
}

// checkWith is check, and reports tensors without a value.
func (m Map) checkWith(lists ...[]checkpoint.NamedTensor) error {
	for _, list := range lists {
		for _, t := range list {
			if t.Value == nil {
				return errors.Errorf("tensor %q has no value", t.Name)
			}
		}
	}
	return m.check()
}

// checkNames reports parameters of the map that the model does not have.
func (m Map) checkNames(params map[string]checkpoint.NamedTensor, wrong *problems) {
	var extra []string
	for name := range m {
		if _, ok := params[name]; !ok {
			extra = append(extra, name)
		}
	}
	slices.Sort(extra)
	for _, name := range extra {
		wrong.add("the map has %q, which the model lacks", name)
	}
}

// takes reports whether a tensor belongs to a parameter.
func (m Map) takes(name string) bool {
	for _, s := range m {
		if s.Weight == name || s.Bias == name {
			return true
		}
	}
	return false
}

// find picks the tensors of one parameter.
func (s Source) find(param string, stored map[string]checkpoint.NamedTensor, wrong *problems) (parts []checkpoint.NamedTensor, ok bool) {
	ok = true
	for _, name := range s.tensors() {
		t, there := stored[name]
		if !there {
			wrong.add("no tensor %q for the parameter %q", name, param)
		}
		ok = ok && there
		parts = append(parts, t)
	}
	return parts, ok
}

// joined is the parameter made of its weight and, where there is one, its bias.
func (s Source) joined(p checkpoint.NamedTensor, parts []checkpoint.NamedTensor) (*tensor.Dense, error) {
	shape := p.Value.Shape()
	if err := s.fits(p.Name, shape, parts); err != nil {
		return nil, err
	}
	var values [][]float64
	for _, t := range parts {
		x, err := finite(t, p.Dtype())
		if err != nil {
			return nil, err
		}
		values = append(values, x)
	}
	weight := values[0]
	if s.moved(shape) {
		outputs := shape[1]
		weight = transposed(weight, outputs, len(weight)/outputs)
	}
	return dense(p.Dtype(), shape, slices.Concat(append([][]float64{weight}, values[1:]...)...))
}

// moved reports whether a parameter of the shape is the transpose of its weight.
func (s Source) moved(shape tensor.Shape) bool { return shape.Dims() == 2 && !s.Keep && !s.Vector }

// kept is the shape of a weight whose axes are not moved.
func (s Source) kept(shape tensor.Shape) tensor.Shape {
	if s.Vector {
		return tensor.Shape{shape.TotalSize()}
	}
	return shape
}

// fits reports a tensor whose shape is not that of its part of the parameter.
func (s Source) fits(param string, shape tensor.Shape, parts []checkpoint.NamedTensor) error {
	weight := parts[0].Value.Shape()
	if !s.moved(shape) {
		if s.Bias != "" || s.Kernel != nil {
			return errors.Errorf("parameter %q of shape %v is no matrix: it has neither bias nor kernel", param, shape)
		}
		if want := s.kept(shape); !slices.Equal(weight, want) {
			return errors.Errorf("tensor %q has shape %v: the parameter %q of shape %v needs %v", s.Weight, weight, param, shape, want)
		}
		return nil
	}
	inputs, outputs, err := s.sizes(param, shape)
	if err != nil {
		return err
	}
	want, err := s.weightShape(param, inputs, outputs)
	if err != nil {
		return err
	}
	size := weight.Dims() >= 2 && weight[0] == outputs && weight.TotalSize() == inputs*outputs
	if s.Kernel == nil && !size || s.Kernel != nil && !slices.Equal(weight, want) {
		return errors.Errorf("tensor %q has shape %v: the parameter %q of shape %v needs %v", s.Weight, weight, param, shape, want)
	}
	if s.Bias != "" && !slices.Equal(parts[1].Value.Shape(), tensor.Shape{outputs}) {
		return errors.Errorf("tensor %q has shape %v: the parameter %q of shape %v needs (%d)", s.Bias, parts[1].Value.Shape(), param, shape, outputs)
	}
	return nil
}

// sizes are the inputs and outputs of a matrix here.
func (s Source) sizes(param string, shape tensor.Shape) (inputs, outputs int, err error) {
	inputs, outputs = shape[0], shape[1]
	if s.Bias != "" {
		inputs--
	}
	if inputs < 1 {
		return 0, 0, errors.Errorf("parameter %q of shape %v has no row beside that of the bias %q", param, shape, s.Bias)
	}
	return inputs, outputs, nil
}

// weightShape is the shape of the weight in PyTorch.
func (s Source) weightShape(param string, inputs, outputs int) (tensor.Shape, error) {
	if s.Kernel == nil {
		return tensor.Shape{outputs, inputs}, nil
	}
	h, w := s.Kernel[0], s.Kernel[1]
	if h > inputs || w > inputs/h || inputs%(h*w) != 0 {
		return nil, errors.Errorf("parameter %q: %d rows of weights are no channels of %d×%d", param, inputs, h, w)
	}
	return tensor.Shape{outputs, inputs / (h * w), h, w}, nil
}

// finite has the elements of a tensor of floats that the dtype can hold.
func finite(t checkpoint.NamedTensor, dt tensor.Dtype) ([]float64, error) {
	x, err := t.Floats()
	if err != nil {
		return nil, err
	}
	most, err := apoops.Choose(dt, math.MaxFloat32, math.MaxFloat64)
	if err != nil {
		return nil, err
	}
	for i, v := range x {
		if !(math.Abs(v) <= most) {
			return nil, errors.Errorf("tensor %q: element %d is %v, no finite number of %v", t.Name, i, v, dt)
		}
	}
	return x, nil
}

// dense makes a tensor of the dtype.
func dense(dt tensor.Dtype, shape tensor.Shape, x []float64) (*tensor.Dense, error) {
	rounded, err := apoops.Choose(dt, rounded[float32], rounded[float64])
	if err != nil {
		return nil, err
	}
	return tensor.New(tensor.WithShape(shape.Clone()...), tensor.WithBacking(rounded(x))), nil
}

func rounded[T apoops.Float](x []float64) any {
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}

// transposed is the transpose of the n×m matrix x.
func transposed(x []float64, n, m int) []float64 {
	y := make([]float64, len(x))
	for i := range n {
		for j := range m {
			y[j*n+i] = x[i*m+j]
		}
	}
	return y
}

func byName(tensors []checkpoint.NamedTensor) map[string]checkpoint.NamedTensor {
	all := make(map[string]checkpoint.NamedTensor, len(tensors))
	for _, t := range tensors {
		all[t.Name] = t
	}
	return all
}
