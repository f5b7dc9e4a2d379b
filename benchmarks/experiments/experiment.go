package experiments

import (
	"slices"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// Experiment is one plot or table of the paper. It compares methods that train
// its Task, has a Computation, or both.
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
	// Choices says what was chosen where the paper is silent.
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
	// Measure is what the report's tables compare the methods by.
	Measure Measure
	// Plots are the figures to draw; none stands for the usual ones.
	Plots []Plot
	// Methods are the names of the methods that are compared; SmallMethods, unless
	// it is empty, are those that the scales below the paper's have.
	Methods, SmallMethods []string
	// Variants are the starts of a method whose initial learning rate the
	// experiment sets. A method that is not there has one, DefaultVariant.
	Variants map[string][]Variant

	// Task is what the methods train; nil where there are none.
	Task Task
	// Computation has a result that is calculated at once; nil for none.
	Computation Computation
}

// Variant is a start of a method: its initial rate is Factor times the best
// fixed rate of the base optimizer.
type Variant struct {
	Name   string
	Factor float64
}

// DefaultVariant starts from the best fixed rate.
var DefaultVariant = Variant{"", 1}

// Measure is a result of a training run.
type Measure int

// The measures.
const (
	TrainingLoss Measure = iota
	TestAccuracy
)

// Plot is a kind of figure.
type Plot string

// The plots.
const (
	LossBySteps     Plot = "loss-steps"
	LossByTime      Plot = "loss-time"
	AccuracyBySteps Plot = "accuracy-steps"
	RateBySteps     Plot = "rate-steps"
)

// TimedAt reports whether the runs of a scale only measure time and memory.
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

// Search is where to look for the settings of a method at a scale.
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
