package record

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
)

// Recorder receives the statistics of every step.
type Recorder interface {
	// Record takes the statistics of one step. It must copy the slices and pointers
	// that it keeps.
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
	for i, p := range s.Precond {
		if p.Measures != nil {
			measures := *p.Measures
			s.Precond[i].Measures = &measures
		}
	}
	if s.Meta != nil {
		meta := *s.Meta
		s.Meta = &meta
	}
	h.Steps = append(h.Steps, s)
	return nil
}

// Multi is a Recorder that passes every step to all recorders, even if one of them
// fails, and returns the first error. Nil recorders are left out.
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
// others. A step without meta-step gets the Meta of the last one that was dropped before it. If
// n < 1 or r is nil, Record returns an error.
func Every(n int, r Recorder) Recorder { return &every{n: n, r: r} }

type every struct {
	n    int
	r    Recorder
	meta *MetaStats // dropped since the last step that was passed on
}

// Record passes s on if its step is a multiple of n.
func (e *every) Record(s Stats) error {
	if e.n < 1 || graph.IsNil(e.r) {
		return errors.Errorf("trainers: record step %d: Every(%d, %T) needs n ≥ 1 and a recorder", s.Step, e.n, e.r)
	}
	if s.Meta == nil {
		s.Meta = e.meta
	}
	if e.meta = s.Meta; s.Step%e.n != 0 {
		return nil
	}
	e.meta = nil
	return e.r.Record(s)
}
