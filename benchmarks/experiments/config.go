package experiments

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// Config is an experiment's setting at one scale, as the header of each run
// stores it. Widths, Net, Set, Own, Augment and Pool belong to the experiment's
// Task, which alone reads them; the other fields serve any task.
type Config struct {
	// Widths are those of a fully connected net's layers, inputs first.
	Widths []int `json:"widths,omitempty"`
	// Net is one of layers.ImageModels, Set the name of an imageSet.
	Net string `json:"net,omitempty"`
	Set string `json:"set,omitempty"`
	// Own has further settings of a task by name.
	Own   map[string]float64 `json:"own,omitempty"`
	Steps int                `json:"steps"`
	Batch int                `json:"batch"`
	// Examples limits the training set to its first examples; 0 means all.
	Examples int `json:"examples,omitempty"`
	// Rows is the number of training examples, the first ones, on which the training
	// loss is evaluated; 0 means all.
	Rows int `json:"evaluated_rows,omitempty"`
	// TestRows limits the test set to its first examples; 0 means all, -1 none.
	TestRows int `json:"test_rows,omitempty"`
	// Validation is the number of training examples, the last ones, that are held out
	// and replace the test set.
	Validation int `json:"validation_rows,omitempty"`
	// Augment applies random crops and mirroring to the training images.
	Augment bool `json:"augment,omitempty"`
	// Evaluations is the number of evaluations after the first step; 0 means 40.
	Evaluations int `json:"evaluations,omitempty"`
	// Decay is the schedule of the methods with step decay. With DecayAll it applies
	// to all methods without a schedule of their own.
	Decay    methods.Decay `json:"decay,omitzero"`
	DecayAll bool          `json:"decay_all,omitempty"`
	// Pool averages images over squares of Pool×Pool pixels; 0 means no averaging.
	Pool  int     `json:"pool,omitempty"`
	Dtype string  `json:"dtype"` // float32 or float64
	L2    float64 `json:"l2,omitempty"`
	// Precision is the format of a training in 16 bits, bfloat16 or float16; "" trains in
	// Dtype.
	Precision string `json:"precision,omitempty"`
	// Stochastic rounds weights of 16 bits at random after a step (precision.Stochastic),
	// not to the nearest (precision.Nearest).
	Stochastic bool `json:"stochastic,omitempty"`
}

// Type is the dtype.
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

// toZero is the schedule of experiments that compare final training losses: without a
// decay the noise of the last steps would decide.
var toZero = methods.Decay{Cosine: true}
