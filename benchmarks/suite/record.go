package suite

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/pkg/errors"
)

// Number is a float64 whose JSON may be not finite: NaN and the infinities are the
// strings "NaN", "+Inf" and "-Inf".
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte(`"` + strconv.FormatFloat(f, 'g', -1, 64) + `"`), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(text []byte) error {
	if len(text) > 1 && text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	f, err := strconv.ParseFloat(string(text), 64)
	*n = Number(f)
	return errors.Wrap(err, "number")
}

// Header is the first line of a run's file.
type Header struct {
	Job
	Label     string          `json:"label"`
	Source    string          `json:"values_from"` // default or tuned
	Optimizer string          `json:"optimizer"`
	Settings  json.RawMessage `json:"settings"`
	// Precision says what a run in 16 bits keeps how (precision.Config.Describe).
	Precision map[string]any `json:"precision,omitempty"`
	// L2Left means that the experiment's L2 penalty is left out because the optimizer
	// has none.
	L2Left bool   `json:"l2_left_out,omitempty"`
	Commit string `json:"commit"`
	BLAS   string `json:"blas"`
	// Threads is the number of cores that the run may use, Jobs the number of parallel
	// runs. With more than one job, times are not comparable.
	Threads  int `json:"threads"`
	Jobs     int `json:"jobs"`
	Rows     int `json:"training_rows"`
	PerEpoch int `json:"steps_per_epoch"`
}

// Evaluation is the line of an evaluation before step number Step. Seconds is the
// time spent in training steps.
type Evaluation struct {
	Step          int      `json:"step"`
	Epoch         float64  `json:"epoch"`
	Seconds       float64  `json:"seconds"`
	TrainLoss     Number   `json:"train_loss"`
	TestLoss      *Number  `json:"test_loss,omitempty"`
	TrainAccuracy *Number  `json:"train_accuracy,omitempty"`
	Accuracy      *Number  `json:"accuracy,omitempty"`   // on the test set
	Score         *Number  `json:"score,omitempty"`      // experiments.Problem.Score, at the end of a run
	BatchLoss     *Number  `json:"batch_loss,omitempty"` // of the step before
	Rates         []Number `json:"rates,omitempty"`
}

// Pause is the line of a checkpoint. It is the last line of an interrupted run.
type Pause struct {
	Paused  bool    `json:"paused"`
	Step    int     `json:"step"`
	Seconds float64 `json:"seconds"`
}

// Done is the last line of a run.
type Done struct {
	Done    bool    `json:"done"`
	Steps   int     `json:"steps"`
	Seconds float64 `json:"seconds"`
	// FirstSeconds is the time of the first step, which builds the graphs.
	FirstSeconds float64 `json:"first_seconds,omitempty"`
	// SecondsPerStep is the mean time of a step without the first one. Rare work has
	// the share that it has in a long run.
	SecondsPerStep float64 `json:"seconds_per_step"`
	// PeakBytes is the largest resident memory during training, StartBytes the
	// resident memory before it: program and data.
	PeakBytes  int64 `json:"peak_rss_bytes"`
	StartBytes int64 `json:"start_rss_bytes"`
	// Notes say which parameters the optimizer treats in a simpler form.
	Notes []string `json:"notes,omitempty"`
	// SkippedSteps were not taken because the loss scale made the gradient overflow,
	// Fallbacks is the number of the optimizer's statistics that were not finite and
	// decompositions that failed.
	SkippedSteps int `json:"skipped_steps,omitempty"`
	Fallbacks    int `json:"fallbacks,omitempty"`
	// DivergedAt is the step that could not be taken, Message the reason; nil for a run
	// that did not diverge.
	DivergedAt *int   `json:"diverged_at,omitempty"`
	Message    string `json:"message,omitempty"`
}

// Run is the content of a run's file.
type Run struct {
	Header      Header
	Evaluations []Evaluation
	Pause       *Pause
	Done        *Done // nil while the run is not finished
	// Environment is where the run was made, nil if that is not known. A file of lines
	// does not have it: see Made.
	Environment *Environment
}

// FinalAccuracy is the last accuracy on the test set, or NaN if the run diverged or
// has none.
func (r *Run) FinalAccuracy() float64 {
	n := len(r.Evaluations)
	if n == 0 || r.Done != nil && r.Done.DivergedAt != nil || r.Evaluations[n-1].Accuracy == nil {
		return math.NaN()
	}
	return float64(*r.Evaluations[n-1].Accuracy)
}

// FinalScore is the score at the end, or NaN if the run diverged or has none.
func (r *Run) FinalScore() float64 {
	n := len(r.Evaluations)
	if n == 0 || r.Done != nil && r.Done.DivergedAt != nil || r.Evaluations[n-1].Score == nil {
		return math.NaN()
	}
	return float64(*r.Evaluations[n-1].Score)
}

// FinalLoss is the last training loss, or +Inf if the run diverged or has none.
func (r *Run) FinalLoss() float64 {
	if len(r.Evaluations) == 0 || r.Done != nil && r.Done.DivergedAt != nil {
		return math.Inf(1)
	}
	if l := float64(r.Evaluations[len(r.Evaluations)-1].TrainLoss); !math.IsNaN(l) {
		return l
	}
	return math.Inf(1)
}
