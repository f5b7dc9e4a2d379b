package experiments

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
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
	// Timed are the scales at which runs only measure time and memory; they are
	// not tuned.
	Timed []Scale
	// Rates marks a comparison of ways to set the rate of several optimizers.
	Rates bool
	// Choices tells what was chosen where the paper is silent.
	Choices string
	Scales  map[Scale]Config
	// Trials are the settings of a search's trials, where they are not those of
	// the runs.
	Trials map[Scale]Config
	// Spaces is the folder of the search spaces (methods.SearchSpace).
	Spaces string
	// TunedAs are experiments whose winners are taken where this one has none of
	// its own, the first that has one. With it the experiment is tuned only where
	// it is named alone. ByLoss takes the winners by training loss.
	TunedAs []string
	ByLoss  bool
	// Shares are experiments with which runs of the same settings are shared.
	Shares []string
	// Accuracies are the paper's on the test set by method, in per cent.
	Accuracies map[string]float64
	// Plots are the pictures to draw; none stands for the usual ones.
	Plots []Plot
	// Methods are the names of the methods that are compared; SmallMethods, unless
	// it is empty, are those that the scales below the paper's have.
	Methods, SmallMethods []string
	// Variants are the starts of a method whose initial learning rate the
	// experiment sets. A method that is not there has one, DefaultVariant.
	Variants map[string][]Variant

	Model func(Config) (graph.Model, error)
	Loss  graph.Loss
	// Load returns the training set and the test set, nil if there is none.
	Load func(ctx context.Context, c Config) (train, test trainers.Set, err error)

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

// Plot is a kind of picture.
type Plot string

// The pictures.
const (
	LossBySteps     Plot = "loss-steps"
	LossByTime      Plot = "loss-time"
	AccuracyBySteps Plot = "accuracy-steps"
	RateBySteps     Plot = "rate-steps"
)

// TimedAt tells whether the runs of a scale only measure time and memory.
func (e *Experiment) TimedAt(s Scale) bool { return slices.Contains(e.Timed, s) }

// MethodsAt are the methods at a scale.
func (e *Experiment) MethodsAt(s Scale) []string {
	if s != Paper && len(e.SmallMethods) > 0 {
		return e.SmallMethods
	}
	return e.Methods
}

// Trial is the setting of a search's trials.
func (e *Experiment) Trial(s Scale) Config {
	if c, ok := e.Trials[s]; ok {
		return c
	}
	return e.Scales[s]
}

// Search is where the settings of a method at a scale are looked for.
func (e *Experiment) Search(s Scale) methods.Search {
	return methods.Search{
		Experiments: append([]string{e.Name}, e.TunedAs...), Scale: string(s), Spaces: e.Spaces, ByLoss: e.ByLoss,
	}
}

// VariantsOf are the starts of a method in this experiment.
func (e *Experiment) VariantsOf(method string) []Variant {
	if v := e.Variants[method]; len(v) > 0 {
		return v
	}
	return []Variant{DefaultVariant}
}

// Config is an experiment's setting at one scale.
type Config struct {
	Widths []int `json:"widths,omitempty"` // of the layers, inputs first; none for a net on images
	// Net is one of layers.ImageModels, Set one of ImageSets.
	Net   string `json:"net,omitempty"`
	Set   string `json:"set,omitempty"`
	Steps int    `json:"steps"`
	Batch int    `json:"batch"`
	// Examples is the number of training examples, the first of the set; 0
	// means all.
	Examples int `json:"examples,omitempty"`
	// Rows is the number of training examples, the first, that the training
	// loss is computed on; 0 means all.
	Rows int `json:"evaluated_rows,omitempty"`
	// TestRows is the number of test examples, the first; 0 means all, -1 none.
	TestRows int `json:"test_rows,omitempty"`
	// Validation is the number of training examples, the last, that are not
	// trained on and take the place of the test set.
	Validation int `json:"validation_rows,omitempty"`
	// Augment crops and mirrors the training images at random.
	Augment bool `json:"augment,omitempty"`
	// Evaluations is their number besides that before the first step; 0 stands
	// for 40.
	Evaluations int `json:"evaluations,omitempty"`
	// Decay is the schedule of the methods with a step decay or, with DecayAll, of
	// all that have no other.
	Decay    methods.Decay `json:"decay,omitzero"`
	DecayAll bool          `json:"decay_all,omitempty"`
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

// EvaluateEvery is the number of steps from one evaluation to the next.
func (c Config) EvaluateEvery() int {
	n := c.Evaluations
	if n == 0 {
		n = 40
	}
	return max(1, c.Steps/n)
}

// Task says what is trained on.
func (c Config) Task() string {
	if c.Net != "" {
		return c.Net + " on " + c.Set
	}
	return "widths " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(c.Widths)), "-"), "[]")
}

// Work is about the number of multiply-adds of an example's forward pass.
func (c Config) Work() float64 {
	if c.Net != "" {
		return imageWork[c.Net]
	}
	products := 0
	for i, w := range c.Widths[1:] {
		products += (c.Widths[i] + 1) * w
	}
	return float64(products)
}

// Problem is an experiment's data at one scale.
type Problem struct {
	// Train is trained on, Evaluate (a part of it, without random changes) gives
	// the training loss; Test is nil where there is no test set.
	Train, Evaluate, Test trainers.Set
}

// Problem loads the data. A missing data set is an error whose cause is
// datasets.ErrNotFound.
func (e *Experiment) Problem(ctx context.Context, c Config) (*Problem, error) {
	train, test, err := e.Load(ctx, c)
	if err != nil {
		return nil, errors.WithMessage(err, e.Name)
	}
	if c.Validation > 0 {
		if train, test, err = split(train, c.Validation); err != nil {
			return nil, errors.WithMessage(err, e.Name)
		}
	}
	p := &Problem{Train: head(train, c.Examples)}
	p.Evaluate = head(p.Train, c.Rows)
	if test != nil && c.TestRows >= 0 {
		p.Test = head(test, c.TestRows)
	}
	if images, ok := p.Train.(*datasets.ColorImages); ok && c.Augment {
		p.Train = images.Augmented(datasets.CropFlip)
	}
	return p, nil
}

// split takes the last n images for the validation.
func split(train trainers.Set, n int) (rest, validation trainers.Set, err error) {
	images, ok := train.(*datasets.ColorImages)
	if !ok || n >= images.Len() {
		return nil, nil, errors.Errorf("%d of %d examples cannot be kept for the validation", n, train.Len())
	}
	n = images.Len() - n
	return images.First(n), images.After(n), nil
}

// head is the first n rows of a set, all of them for n = 0.
func head(s trainers.Set, n int) trainers.Set {
	if n == 0 || n >= s.Len() {
		return s
	}
	switch s := s.(type) {
	case trainers.Data:
		return trainers.Data{X: rows(s.X, n), T: rows(s.T, n)}
	case *datasets.ColorImages:
		return s.First(n)
	}
	return s
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
