package experiments

import (
	"context"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// Experiment is one plot or table of the paper. It either trains a model with
// several methods or, where Compute is set, calculates its result at once.
type Experiment struct {
	Name string
	// Group is the name that several experiments of one figure share, "" for
	// none.
	Group string
	// Figure is its place in the paper, Paper what is reported there.
	Figure, Title, Data, Paper string
	// TimingOnly marks a measurement of time and memory, whose losses say
	// nothing: it is not tuned.
	TimingOnly bool
	// Choices tells what was chosen where the paper is silent.
	Choices string
	Scales  map[Scale]Config
	// Methods are the names of the methods that are compared.
	Methods []string
	// Variants are the starts of a method whose initial learning rate the
	// experiment sets. A method that is not there has one, DefaultVariant.
	Variants map[string][]Variant

	Model func(Config) graph.Model
	Loss  graph.Loss
	// Load returns the training set and, if there is one, the test set.
	Load func(ctx context.Context, c Config) (train, test trainers.Data, err error)

	// Compute returns a result that is stored as JSON.
	Compute func(ctx context.Context, s Scale) (any, error)
}

// Variant is a start of a method: its initial rate is Factor times the best
// fixed rate of the base optimizer.
type Variant struct {
	Name   string
	Factor float64
}

// DefaultVariant starts from the best fixed rate.
var DefaultVariant = Variant{"", 1}

// VariantsOf are the starts of a method in this experiment.
func (e *Experiment) VariantsOf(method string) []Variant {
	if v := e.Variants[method]; len(v) > 0 {
		return v
	}
	return []Variant{DefaultVariant}
}

// Config is an experiment's setting at one scale.
type Config struct {
	Widths []int `json:"widths"` // of the layers, inputs first
	Steps  int   `json:"steps"`
	Batch  int   `json:"batch"`
	// Examples is the number of training examples, the first of the set; 0
	// means all.
	Examples int `json:"examples,omitempty"`
	// Rows is the number of training examples, the first, that the training
	// loss is computed on; 0 means all.
	Rows int `json:"evaluated_rows,omitempty"`
	// Pool is the side of the squares of pixels that images are averaged over; 0
	// leaves them as they are.
	Pool  int     `json:"pool,omitempty"`
	Dtype string  `json:"dtype"` // float32 or float64
	L2    float64 `json:"l2,omitempty"`
}

// Type is the element type by that name.
func (c Config) Type() tensor.Dtype {
	if c.Dtype == "float64" {
		return tensor.Float64
	}
	return tensor.Float32
}

// Problem is an experiment's data at one scale.
type Problem struct {
	// Train is trained on, Evaluate (a part of it) gives the training loss;
	// Test is empty where the paper has no test set.
	Train, Evaluate, Test trainers.Data
}

// Problem loads the data. A missing data set is an error whose cause is
// datasets.ErrNotFound.
func (e *Experiment) Problem(ctx context.Context, c Config) (*Problem, error) {
	train, test, err := e.Load(ctx, c)
	if err != nil {
		return nil, errors.WithMessage(err, e.Name)
	}
	p := &Problem{Train: head(train, c.Examples), Test: test}
	p.Evaluate = head(p.Train, c.Rows)
	return p, nil
}

// head is the first n rows of a set, all of them for n = 0.
func head(d trainers.Data, n int) trainers.Data {
	if n == 0 || n >= d.Len() {
		return d
	}
	return trainers.Data{X: rows(d.X, n), T: rows(d.T, n)}
}

func rows(t *tensor.Dense, n int) *tensor.Dense {
	shape := t.Shape().Clone()
	size := n * shape.TotalSize() / shape[0]
	shape[0] = n
	var part any
	switch t.Dtype() {
	case tensor.Float32:
		part = t.Float32s()[:size]
	case tensor.Float64:
		part = t.Float64s()[:size]
	default:
		part = t.Ints()[:size]
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(part))
}

var registry []*Experiment

// Register adds an experiment. Its name must be new.
func Register(e *Experiment) {
	if slices.ContainsFunc(registry, func(o *Experiment) bool { return o.Name == e.Name }) {
		panic("experiments: two of the name " + e.Name)
	}
	registry = append(registry, e)
}

// All are the experiments in the paper's order.
func All() []*Experiment { return slices.Clone(registry) }

// Find returns the experiments of that name or group.
func Find(name string) ([]*Experiment, error) {
	var found []*Experiment
	for _, e := range registry {
		if e.Name == name || e.Group == name {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil, errors.Errorf("no experiment %q: list shows them all", name)
	}
	return found, nil
}

// Get returns the experiment of exactly that name.
func Get(name string) (*Experiment, error) {
	for _, e := range registry {
		if e.Name == name {
			return e, nil
		}
	}
	return nil, errors.Errorf("no experiment %q: list shows them all", name)
}
