package report

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// section is what is known of one experiment at one scale.
type section struct {
	e      *experiments.Experiment
	scale  experiments.Scale
	config experiments.Config
	series []*series       // in the order of the methods
	result json.RawMessage // of an experiment that trains nothing
	// unfinished are runs that have no end.
	unfinished int
}

// series are the runs of one method and variant with all their seeds.
type series struct {
	method *methods.Method
	label  string
	header suite.Header // of the first seed
	runs   []*suite.Run
}

func (s *section) name() string { return s.e.Name + "-" + string(s.scale) }

// timed tells whether the section only measures time and memory.
func (s *section) timed() bool { return s.e.TimedAt(s.scale) }

// onImages tells whether the section's nets classify images.
func (s *section) onImages() bool { return s.config.Net != "" }

// find is the series of a method without variants, nil if it was not run.
func (s *section) find(method string) *series {
	for _, r := range s.series {
		if r.method.Name == method && r.header.Variant == "" {
			return r
		}
	}
	return nil
}

// load reads a results folder: one section for each experiment and scale, in
// the paper's order.
func load(dir string) ([]*section, error) {
	var all []*section
	for _, e := range experiments.All() {
		for _, scale := range experiments.Scales {
			s, err := loadSection(dir, e, scale)
			if err != nil {
				return nil, err
			}
			if s != nil {
				all = append(all, s)
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.Errorf("no results in %s", dir)
	}
	return all, nil
}

// loadSection is nil if there is nothing.
func loadSection(dir string, e *experiments.Experiment, scale experiments.Scale) (*section, error) {
	s := &section{e: e, scale: scale, config: e.Scales[scale]}
	if e.Compute != nil {
		text, err := os.ReadFile(suite.ComputedPath(dir, e.Name, scale))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		s.result = text
		return s, errors.WithStack(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, e.Name, string(scale), "*.jsonl"))
	if err != nil {
		return nil, errors.WithStack(err)
	}
	for _, path := range paths {
		if err := s.add(path); err != nil {
			return nil, err
		}
	}
	if len(s.series) == 0 && s.unfinished == 0 {
		return nil, nil
	}
	s.sort()
	return s, nil
}

func (s *section) add(path string) error {
	run, err := suite.ReadRun(path)
	if err != nil {
		return err
	}
	if run.Done == nil {
		s.unfinished++
		return nil
	}
	h := run.Header
	m, err := methods.Get(h.Method)
	if err != nil {
		return errors.WithMessage(err, path)
	}
	s.config = h.Config
	for _, r := range s.series {
		if r.method == m && r.header.Variant == h.Variant {
			r.runs = append(r.runs, run)
			return nil
		}
	}
	label := h.Label
	if h.Variant != "" {
		label += ", " + strings.ReplaceAll(h.Variant, "-", " ")
	}
	s.series = append(s.series, &series{method: m, label: label, header: h, runs: []*suite.Run{run}})
	return nil
}

// sort puts the methods in the registry's order, their variants in the
// experiment's, and the runs in the order of their seeds.
func (s *section) sort() {
	place := func(r *series) int {
		i := 100 * slices.Index(methods.All(), r.method)
		return i + slices.IndexFunc(s.e.VariantsOf(r.method.Name), func(v experiments.Variant) bool { return v.Name == r.header.Variant })
	}
	slices.SortStableFunc(s.series, func(a, b *series) int { return place(a) - place(b) })
	for _, r := range s.series {
		slices.SortFunc(r.runs, func(a, b *suite.Run) int { return int(a.Header.Seed) - int(b.Header.Seed) })
		r.header = r.runs[0].Header
	}
}
