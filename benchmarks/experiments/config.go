package experiments

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// Config is an experiment's setting at one scale, as the header of each run
// stores it. Widths, Net, Set, Own, Augment and Pool belong to the experiment's
// Task, which alone reads them; the other fields serve any task.
type Config struct {
	Widths []int `json:"widths,omitempty"` // of the layers, inputs first; none for a net on images
	// Net is one of layers.ImageModels, Set the name of an imageSet.
	Net string `json:"net,omitempty"`
	Set string `json:"set,omitempty"`
	// Own has the settings of a task that the other fields have no place for.
	Own   map[string]float64 `json:"own,omitempty"`
	Steps int                `json:"steps"`
	Batch int                `json:"batch"`
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
