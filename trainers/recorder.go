package trainers

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/pkg/errors"
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
	return multi(slices.DeleteFunc(slices.Clone(recorders), func(r Recorder) bool { return r == nil }))
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
	if e.n < 1 || e.r == nil {
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
// also q, q_loss, fsd, wsd, lambda_fsd, lambda_wsd, meta_grad_norm and
// meta_skipped; with a learned preconditioner also precond, a list of objects
// with the keys block, a, b and s. Numbers that JSON lacks are the strings
// "NaN", "+Inf" and "-Inf".
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

// CSV is a Recorder that writes a table with one row per step.
//
// The columns are step, loss, rate_0 … rate_n-1 with n the number of rates in
// the first record, q, q_loss, fsd, wsd, lambda_fsd, lambda_wsd,
// meta_grad_norm, meta_skipped, norm_A, norm_B, norm_S, base_seconds and
// meta_seconds. The columns q to meta_skipped are empty on steps without
// meta-step. The norms are those of the whole preconditioner, the root of the
// sum of the squares over its blocks, and empty without Precond. Floats have
// all their digits, or are NaN, +Inf, -Inf.
type CSV struct {
	out   lineWriter
	rates int // number of rate columns; -1 before the first record
}

// NewCSV makes a CSV that writes to w, one call of w.Write per step.
func NewCSV(w io.Writer) *CSV { return &CSV{lineWriter{w: w}, -1} }

// Record writes a row, the first time with the header before it. It fails if
// the number of rates is not that of the header; nothing is written then. The
// error of w names the step; from then on every Record returns it.
func (c *CSV) Record(s Stats) error {
	var rows [][]string
	if c.rates < 0 {
		c.rates = len(s.Rates)
		rows = append(rows, csvHeader(c.rates))
	}
	if len(s.Rates) != c.rates {
		return errors.Errorf("trainers: record step %d: %d rates in a table with %d", s.Step, len(s.Rates), c.rates)
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(append(rows, csvRow(s))); err != nil {
		return errors.Wrapf(err, "trainers: record step %d", s.Step)
	}
	return c.out.write(s.Step, text.Bytes())
}

// Flush flushes the writer if it buffers, that is if it has a method
// Flush() error.
func (c *CSV) Flush() error { return c.out.flush() }

// Close flushes the writer, then closes it if it is an io.Closer.
func (c *CSV) Close() error { return c.out.close() }

// csvHeader names the columns.
func csvHeader(rates int) []string {
	header := []string{"step", "loss"}
	for i := range rates {
		header = append(header, "rate_"+strconv.Itoa(i))
	}
	return append(header,
		"q", "q_loss", "fsd", "wsd", "lambda_fsd", "lambda_wsd", "meta_grad_norm", "meta_skipped",
		"norm_A", "norm_B", "norm_S", "base_seconds", "meta_seconds")
}

// csvRow has the cells in the order of csvHeader.
func csvRow(s Stats) []string {
	row := []string{strconv.Itoa(s.Step), formatFloat(s.Loss)}
	for _, r := range s.Rates {
		row = append(row, formatFloat(r))
	}
	if m := s.Meta; m != nil {
		row = append(row, formatFloat(m.Q), formatFloat(m.Loss), formatFloat(m.FSD), formatFloat(m.WSD),
			formatFloat(m.LambdaFSD), formatFloat(m.LambdaWSD), formatFloat(m.GradNorm), strconv.FormatBool(m.Skipped))
	} else {
		row = append(row, "", "", "", "", "", "", "", "")
	}
	if len(s.Precond) > 0 {
		var a, b, d float64 // Σ‖·‖² of A, B and S
		for _, p := range s.Precond {
			a += p.A * p.A
			b += p.B * p.B
			d += p.S * p.S
		}
		row = append(row, formatFloat(math.Sqrt(a)), formatFloat(math.Sqrt(b)), formatFloat(math.Sqrt(d)))
	} else {
		row = append(row, "", "", "")
	}
	return append(row, formatFloat(s.BaseTime.Seconds()), formatFloat(s.MetaTime.Seconds()))
}

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
			LambdaFSD: jsonNumber(m.LambdaFSD), LambdaWSD: jsonNumber(m.LambdaWSD),
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
