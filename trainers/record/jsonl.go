package record

import (
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/pkg/errors"
)

// JSONL is a Recorder that writes one JSON object per step and line.
//
// The keys are step, loss, rates, base_seconds and meta_seconds; where hyperparameters are
// learned hyperparameters, an object with their names as keys; in 16 bits loss_scale;
// where a step was skipped step_skipped; at meta-steps
// also q, q_loss, fsd, wsd, lambda_fsd, lambda_wsd, epsilon, meta_grad_norm and
// meta_skipped; with a learned preconditioner also precond, a list of objects
// with the keys block, a, b and s and, where P is learned from rows, energy_a,
// energy_b, condition, trace and discrepancy (PrecondMeasures). Numbers that JSON lacks are the strings
// "NaN", "+Inf" and "-Inf". The terms add up:
//
//	q = q_loss + lambda_fsd/epsilon·fsd + epsilon·lambda_wsd·wsd
//
// where epsilon is MetaStats.Epsilon or, for rules without it, 1.
type JSONL struct{ out lineWriter }

// NewJSONL makes a JSONL that writes to w, one call of w.Write per step.
func NewJSONL(w io.Writer) *JSONL { return &JSONL{lineWriter{w: w}} }

// Record writes a line. The error of w names the step; from then on every
// Record returns it, because the file may end in half a line.
func (j *JSONL) Record(s Stats) error {
	line, err := json.Marshal(newJSONStep(s))
	if err != nil {
		return errors.Wrapf(err, "trainers: record step %d", s.Step)
	}
	return j.out.write(s.Step, append(line, '\n'))
}

// Flush flushes the writer if it buffers, that is if it has a method
// Flush() error.
func (j *JSONL) Flush() error { return j.out.flush() }

// Close flushes the writer, then closes it if it is an io.Closer.
func (j *JSONL) Close() error { return j.out.close() }

// jsonStep is a line of JSONL. Without meta-step the keys of jsonMeta are
// missing.
type jsonStep struct {
	Step            int                   `json:"step"`
	Loss            jsonNumber            `json:"loss"`
	Rates           []jsonNumber          `json:"rates"`
	Hyperparameters map[string]jsonNumber `json:"hyperparameters,omitempty"`
	*jsonMeta
	LossScale   float64       `json:"loss_scale,omitempty"`
	StepSkipped bool          `json:"step_skipped,omitempty"`
	Precond     []jsonPrecond `json:"precond,omitempty"`
	BaseSeconds jsonNumber    `json:"base_seconds"`
	MetaSeconds jsonNumber    `json:"meta_seconds"`
}

type jsonMeta struct {
	Q         jsonNumber `json:"q"`
	Loss      jsonNumber `json:"q_loss"`
	FSD       jsonNumber `json:"fsd"`
	WSD       jsonNumber `json:"wsd"`
	LambdaFSD jsonNumber `json:"lambda_fsd"`
	LambdaWSD jsonNumber `json:"lambda_wsd"`
	Epsilon   jsonNumber `json:"epsilon"`
	GradNorm  jsonNumber `json:"meta_grad_norm"`
	Skipped   bool       `json:"meta_skipped"`
}

type jsonPrecond struct {
	Block string     `json:"block"`
	A     jsonNumber `json:"a"`
	B     jsonNumber `json:"b"`
	S     jsonNumber `json:"s"`
	*jsonMeasures
}

type jsonMeasures struct {
	EnergyA     jsonNumber `json:"energy_a"`
	EnergyB     jsonNumber `json:"energy_b"`
	Condition   jsonNumber `json:"condition"`
	Trace       jsonNumber `json:"trace"`
	Discrepancy jsonNumber `json:"discrepancy"`
}

func newJSONPrecond(p PrecondNorms) jsonPrecond {
	j := jsonPrecond{Block: p.Block, A: jsonNumber(p.A), B: jsonNumber(p.B), S: jsonNumber(p.S)}
	if m := p.Measures; m != nil {
		j.jsonMeasures = &jsonMeasures{jsonNumber(m.EnergyA), jsonNumber(m.EnergyB), jsonNumber(m.Condition), jsonNumber(m.Trace), jsonNumber(m.Discrepancy)}
	}
	return j
}

func newJSONStep(s Stats) jsonStep {
	step := jsonStep{
		Step:        s.Step,
		Loss:        jsonNumber(s.Loss),
		LossScale:   s.LossScale,
		StepSkipped: s.StepSkipped,
		Rates:       make([]jsonNumber, len(s.Rates)),
		BaseSeconds: jsonNumber(s.BaseTime.Seconds()),
		MetaSeconds: jsonNumber(s.MetaTime.Seconds()),
	}
	for i, r := range s.Rates {
		step.Rates[i] = jsonNumber(r)
	}
	for name, h := range s.Hyperparameters {
		if step.Hyperparameters == nil {
			step.Hyperparameters = make(map[string]jsonNumber)
		}
		step.Hyperparameters[name] = jsonNumber(h)
	}
	if m := s.Meta; m != nil {
		step.jsonMeta = &jsonMeta{
			Q: jsonNumber(m.Q), Loss: jsonNumber(m.Loss),
			FSD: jsonNumber(m.FSD), WSD: jsonNumber(m.WSD),
			LambdaFSD: jsonNumber(m.LambdaFSD), LambdaWSD: jsonNumber(m.LambdaWSD), Epsilon: jsonNumber(m.part()),
			GradNorm: jsonNumber(m.GradNorm), Skipped: m.Skipped,
		}
	}
	for _, p := range s.Precond {
		step.Precond = append(step.Precond, newJSONPrecond(p))
	}
	return step
}

// jsonNumber is a number that may also be NaN or infinite.
type jsonNumber float64

// MarshalJSON writes NaN and ±Inf as strings.
func (x jsonNumber) MarshalJSON() ([]byte, error) {
	if v := float64(x); math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendQuote(nil, formatFloat(v)), nil
	}
	return json.Marshal(float64(x))
}
