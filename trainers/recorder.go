package trainers

import (
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
)

// Recorder receives the statistics of every step.
type Recorder interface {
	// Record takes one step. It may keep the Stats' slices and pointers only
	// as copies.
	Record(Stats) error
}

// History is a Recorder that keeps everything in memory. The zero value is
// empty and ready.
type History struct {
	// Steps are the recorded steps, oldest first.
	Steps []Stats
}

// Record appends a copy of s. It never fails.
func (h *History) Record(s Stats) error {
	s.Rates = slices.Clone(s.Rates)
	s.Precond = slices.Clone(s.Precond)
	if s.Meta != nil {
		meta := *s.Meta
		s.Meta = &meta
	}
	h.Steps = append(h.Steps, s)
	return nil
}

// Multi is a Recorder that passes every step to all the given ones, also when
// one of them fails, and returns the first error. Nil recorders are left out.
func Multi(recorders ...Recorder) Recorder {
	return multi(slices.DeleteFunc(slices.Clone(recorders), func(r Recorder) bool { return graph.IsNil(r) }))
}

type multi []Recorder

// Record passes s on.
func (m multi) Record(s Stats) error {
	var first error
	for _, r := range m {
		if err := r.Record(s); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Every is a Recorder that passes the steps 0, n, 2n, … to r and drops the
// others. If n < 1 or r is nil, Record returns an error.
func Every(n int, r Recorder) Recorder { return every{n, r} }

type every struct {
	n int
	r Recorder
}

// Record passes s on if its step is a multiple of n.
func (e every) Record(s Stats) error {
	if e.n < 1 || graph.IsNil(e.r) {
		return errors.Errorf("trainers: record step %d: Every(%d, %T) needs n ≥ 1 and a recorder", s.Step, e.n, e.r)
	}
	if s.Step%e.n != 0 {
		return nil
	}
	return e.r.Record(s)
}

// JSONL is a Recorder that writes one JSON object per step and line.
//
// The keys are step, loss, rates, base_seconds and meta_seconds; at meta-steps
// also q, q_loss, fsd, wsd, lambda_fsd, lambda_wsd, epsilon, meta_grad_norm and
// meta_skipped; with a learned preconditioner also precond, a list of objects
// with the keys block, a, b and s. Numbers that JSON lacks are the strings
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

// formatFloat gives the shortest text that reads back as x.
func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// jsonStep is a line of JSONL. Without meta-step the keys of jsonMeta are
// missing.
type jsonStep struct {
	Step  int          `json:"step"`
	Loss  jsonNumber   `json:"loss"`
	Rates []jsonNumber `json:"rates"`
	*jsonMeta
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
}

func newJSONStep(s Stats) jsonStep {
	step := jsonStep{
		Step:        s.Step,
		Loss:        jsonNumber(s.Loss),
		Rates:       make([]jsonNumber, len(s.Rates)),
		BaseSeconds: jsonNumber(s.BaseTime.Seconds()),
		MetaSeconds: jsonNumber(s.MetaTime.Seconds()),
	}
	for i, r := range s.Rates {
		step.Rates[i] = jsonNumber(r)
	}
	if m := s.Meta; m != nil {
		step.jsonMeta = &jsonMeta{
			Q: jsonNumber(m.Q), Loss: jsonNumber(m.Loss),
			FSD: jsonNumber(m.FSD), WSD: jsonNumber(m.WSD),
			LambdaFSD: jsonNumber(m.LambdaFSD), LambdaWSD: jsonNumber(m.LambdaWSD), Epsilon: jsonNumber(m.Part()),
			GradNorm: jsonNumber(m.GradNorm), Skipped: m.Skipped,
		}
	}
	for _, p := range s.Precond {
		step.Precond = append(step.Precond, jsonPrecond{p.Block, jsonNumber(p.A), jsonNumber(p.B), jsonNumber(p.S)})
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

// lineWriter passes the lines of a Recorder to w, up to the first error.
type lineWriter struct {
	w   io.Writer
	err error
}

// write writes the text of a step with a single call, or returns the error of
// an earlier step.
func (l *lineWriter) write(step int, text []byte) error {
	if graph.IsNil(l.w) {
		return errors.Errorf("trainers: record step %d: there is no writer", step)
	}
	if l.err == nil {
		_, err := l.w.Write(text)
		l.err = errors.Wrapf(err, "trainers: record step %d", step)
	}
	return l.err
}

// flush empties the buffer of w if it has one.
func (l *lineWriter) flush() error {
	if f, ok := l.w.(interface{ Flush() error }); ok {
		return errors.Wrap(f.Flush(), "trainers: flush recorder")
	}
	return nil
}

// close closes w, if it can be closed, also when flushing fails.
func (l *lineWriter) close() error {
	err := l.flush()
	if c, ok := l.w.(io.Closer); ok {
		if closeErr := c.Close(); err == nil {
			err = errors.Wrap(closeErr, "trainers: close recorder")
		}
	}
	return err
}
