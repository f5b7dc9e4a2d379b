package report

import (
	"fmt"
	"io"
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

// section has the results of one experiment at one scale.
type section struct {
	e      *experiments.Experiment
	scale  experiments.Scale
	config experiments.Config
	series []*series          // in the order of the methods
	result experiments.Result // of the experiment's computation, nil for none
	// unfinished is the number of runs without an end.
	unfinished int
	files      map[string]string // of the runs, by method, variant and seed
}

// series has the runs of one method and variant, one for each seed.
type series struct {
	method *methods.Method
	label  string
	header suite.Header // of the first seed
	runs   []*suite.Run
	swept  string // experiments.Experiment.Sweep
}

func (s *section) name() string { return s.e.Name + "-" + string(s.scale) }

// empty reports whether there are neither runs nor a computed result.
func (s *section) empty() bool { return s.result == nil && !s.hasRuns() }

// hasRuns reports whether there are runs, finished or not.
func (s *section) hasRuns() bool { return len(s.series) > 0 || s.unfinished > 0 }

// timed reports whether the section only measures time and memory.
func (s *section) timed() bool { return s.e.TimedAt(s.scale) }

// find returns the series of a method without variants, or nil if it was not run.
func (s *section) find(method string) *series {
	for _, r := range s.series {
		if r.method.Name == method && r.header.Variant == "" {
			return r
		}
	}
	return nil
}

// load reads a results folder: one section for each experiment and scale, in the
// paper's order. It reports files that it leaves out to stderr.
func load(dir string, stderr io.Writer) ([]*section, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, errors.WithStack(err)
	}
	var all []*section
	for _, e := range experiments.All() {
		for _, scale := range experiments.Scales {
			s, err := loadSection(dir, e, scale, stderr)
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

// loadSection returns nil if there are no results.
func loadSection(dir string, e *experiments.Experiment, scale experiments.Scale, stderr io.Writer) (*section, error) {
	s := &section{e: e, scale: scale, config: e.Scales[scale], files: make(map[string]string)}
	if err := s.addComputed(dir, stderr); err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, e.Name, string(scale))
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.WithStack(err)
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".jsonl" {
			continue
		}
		if err := s.add(filepath.Join(folder, entry.Name()), stderr); err != nil {
			return nil, err
		}
	}
	if s.empty() {
		return nil, nil
	}
	s.sort()
	return s, nil
}

func leftOut(stderr io.Writer, path, why string) {
	fmt.Fprintf(stderr, "report: %s is left out: %s\n", path, why)
}

func (s *section) add(path string, stderr io.Writer) error {
	run, err := suite.ReadRun(path)
	if errors.Is(err, suite.ErrNoHeader) {
		leftOut(stderr, path, "it has no header")
		return nil
	}
	if err != nil {
		return err
	}
	h := run.Header
	if h.Experiment != s.e.Name || h.Scale != s.scale {
		return errors.Errorf("%s is a run of %s at scale %s, not of %s", path, h.Experiment, h.Scale, s.name())
	}
	who := fmt.Sprintf("%s, variant %q, seed %d", h.Method, h.Variant, h.Seed)
	if first, ok := s.files[who]; ok {
		return errors.Errorf("%s and %s are the same run: %s", first, path, who)
	}
	s.files[who] = path
	if run.Done == nil {
		s.unfinished++
		return nil
	}
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
	label := m.Label
	if h.Variant != "" {
		label += ", " + strings.ReplaceAll(h.Variant, "-", " ")
	}
	s.series = append(s.series, &series{method: m, label: label, header: h, runs: []*suite.Run{run}, swept: s.e.Sweep})
	return nil
}

// sort sorts the methods in the registry's order, their variants in the experiment's,
// and the runs by seed.
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
