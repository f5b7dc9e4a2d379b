package experiments

import (
	"slices"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// NotInThePaper is the Figure of this project's own experiments.
const NotInThePaper = "Not in the paper"

// Experiment is one plot or table of the paper. It has methods that train its Task,
// or a Computation, or both.
type Experiment struct {
	Name string
	// Group is a name that the experiments of one figure or table share, "" for
	// none.
	Group string
	// Figure is its place in the paper, or NotInThePaper. Paper is the result that is
	// reported there.
	Figure, Title, Data, Paper string
	// Command is the subcommand that alone runs the experiment, "" for run. All leaves it out.
	Command string
	// Timed are the scales at which runs only measure time and memory. They are not
	// tuned.
	Timed []Scale
	// Rates marks a comparison of ways to set the learning rate of several optimizers.
	Rates bool
	// Choices are the settings that the paper does not give.
	Choices string
	Scales  map[Scale]Config
	// Trials are the settings of a search's trials where they differ from those of
	// the runs.
	Trials map[Scale]Config
	// Spaces is the folder of the search spaces, an argument of Method.SearchSpace.
	Spaces string
	// TunedAs are the experiments whose winners this one uses, in this order, if it
	// has none of its own. An experiment with TunedAs is tuned only if the command
	// names it. ByLoss selects the winners by training loss.
	TunedAs []string
	ByLoss  bool
	// Shares are experiments whose runs this one uses if they have the same settings.
	Shares []string
	// Accuracies are the paper's test accuracies by method, in per cent.
	Accuracies map[string]float64
	// Scores are the paper's scores by method: BLEU.
	Scores map[string]float64
	// Measure is the result by which the report's tables compare the methods.
	Measure Measure
	// Plots are the figures to draw; none means the usual ones.
	Plots []Plot
	// Methods are the names of the compared methods. SmallMethods, unless it is
	// empty, replaces them at the scales below the paper's.
	Methods, SmallMethods []string
	// Variants are the ways in which a method is run; a method without has
	// DefaultVariant alone.
	Variants map[string][]Variant
	// OtherRates are methods that the paper's scale runs at a tenth, a third and three times
	// their learning rate too, since a search in shorter runs has chosen it: the
	// lowest training loss counts.
	OtherRates []string
	// Sweep is the hyperparameter in which the variants differ, drawn as an axis; "" for
	// none.
	Sweep string

	// Task is what the methods train; nil without methods.
	Task Task
	// Computation calculates a result without methods; nil for none.
	Computation Computation
}

// Variant is a way to run a method.
type Variant struct {
	Name string
	// Factor times the best fixed rate of the base optimizer is the initial learning rate
	// of a method with a Base.
	Factor float64
	// Precision is Config.Precision.
	Precision string
	// Stochastic is Config.Stochastic.
	Stochastic bool
	// Values replace hyperparameters of the method.
	Values methods.Values
	// Times, unless it is 0, multiplies the method's learning rate.
	Times float64
}

// otherRatesOf is what Experiment.Choices says of Experiment.OtherRates.
func otherRatesOf(methods string) string {
	return "; at the paper's scale " + methods + " also run at a tenth, a third and three times their rates, " +
		"for these were searched on a smaller net in shorter runs, and the best run counts"
}

// otherRates are the variants of Experiment.OtherRates.
var otherRates = []Variant{
	DefaultVariant,
	{Name: "tenth-of-the-rate", Factor: 1, Times: 1. / 10},
	{Name: "third-of-the-rate", Factor: 1, Times: 1. / 3},
	{Name: "three-times-the-rate", Factor: 1, Times: 3},
}

// DefaultVariant has the method's settings, in full precision, and starts from the best
// fixed rate.
var DefaultVariant = Variant{Factor: 1}

// Config is the setting of a variant's runs at a scale.
func (e *Experiment) Config(s Scale, v Variant) Config {
	c := e.Scales[s]
	c.Precision, c.Stochastic = v.Precision, v.Stochastic
	return c
}

// InPrecisions reports whether variants differ in precision.
func (e *Experiment) InPrecisions() bool {
	for _, all := range e.Variants {
		if slices.ContainsFunc(all, func(v Variant) bool { return v.Precision != "" }) {
			return true
		}
	}
	return false
}

// Measure is a result of a training run.
type Measure int

// The measures.
const (
	TrainingLoss Measure = iota
	TestAccuracy
	BLEU // a task's score, from 0 to 100
)

// Plot is a kind of figure.
type Plot string

// The plots.
const (
	LossBySteps     Plot = "loss-steps"
	LossByTime      Plot = "loss-time"
	AccuracyBySteps Plot = "accuracy-steps"
	TestLossBySteps Plot = "test-loss-steps"
	RateBySteps     Plot = "rate-steps"
)

// TimedAt reports whether the runs of a scale only measure time and memory.
func (e *Experiment) TimedAt(s Scale) bool { return slices.Contains(e.Timed, s) }

// MethodsAt returns the methods at a scale.
func (e *Experiment) MethodsAt(s Scale) []string {
	if s != Paper && len(e.SmallMethods) > 0 {
		return e.SmallMethods
	}
	return e.Methods
}

// Trial returns the setting of a search's trials.
func (e *Experiment) Trial(s Scale) Config {
	if c, ok := e.Trials[s]; ok {
		return c
	}
	return e.Scales[s]
}

// Search says where to look for the settings of a method at a scale.
func (e *Experiment) Search(s Scale) methods.Search {
	return methods.Search{
		Experiments: append([]string{e.Name}, e.TunedAs...), Scale: string(s), Spaces: e.Spaces, ByLoss: e.ByLoss,
	}
}

// VariantsOf returns the ways in which this experiment runs a method at a scale.
func (e *Experiment) VariantsOf(method string, s Scale) []Variant {
	if s == Paper && slices.Contains(e.OtherRates, method) {
		return otherRates
	}
	if v := e.Variants[method]; len(v) > 0 {
		return v
	}
	return []Variant{DefaultVariant}
}
