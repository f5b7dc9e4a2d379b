package report

import (
	"fmt"
	"io"
	"math"
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
	files      map[string]runFile // by method, variant and seed
}

// runFile is a run with where it was read.
type runFile struct {
	path string
	run  *suite.Run
}

// series has the runs of one method and variant, one for each seed.
type series struct {
	method *methods.Method
	label  string
	header suite.Header // of the first seed
	runs   []*suite.Run
	swept  string // experiments.Experiment.Sweep
}

// heading is the heading of the section on its page.
func (s *section) heading() string { return s.e.Name + ", " + string(s.scale) }

func (s *section) name() string { return s.e.Name + "-" + string(s.scale) }

// empty reports whether there are neither runs nor a computed result.
func (s *section) empty() bool { return s.result == nil && !s.hasRuns() }

// hasRuns reports whether there are runs, finished or not.
func (s *section) hasRuns() bool { return len(s.series) > 0 || s.unfinished > 0 }

// timed reports whether the section only measures time and memory.
func (s *section) timed() bool { return s.e.TimedAt(s.scale) }

// find returns the series of a method without variants, or nil if it was not run. Of one
// at several learning rates it is the one with the lowest training loss.
func (s *section) find(method string) (best *series) {
	rates := s.rates(method)
	for _, r := range s.series {
		if r.method.Name == method && (r.header.Variant == "" || slices.Contains(rates, r.header.Variant)) && (best == nil || r.final().median < best.final().median) {
			best = r
		}
	}
	return best
}

// rates are the names of the variants that differ in the learning rate alone.
func (s *section) rates(method string) (names []string) {
	for _, v := range s.e.VariantsOf(method, s.scale) {
		if v.Times != 0 {
			names = append(names, v.Name)
		}
	}
	return names
}

// hideTimes takes out the times of runs that were parallel, which nothing may be compared
// by.
func (s *section) hideTimes() {
	if !s.parallel() {
		return
	}
	for _, r := range s.series {
		for _, run := range r.runs {
			d := *run.Done
			d.Seconds, d.SecondsPerStep, d.FirstSeconds = math.NaN(), math.NaN(), math.NaN()
			run.Done = &d
		}
	}
}

// parallel reports whether runs were parallel, or beside other work.
func (s *section) parallel() bool { return s.maxJobs() > 1 }

// load reads folders of results, of runs as they were measured or stored: one section for
// each experiment and scale, in the paper's order. It reports files that it leaves out to
// stderr.
func load(dirs []string, stderr io.Writer) ([]*section, error) {
	envs := make(map[string][]suite.Environment)
	for _, dir := range dirs {
		if _, err := os.ReadDir(dir); err != nil {
			return nil, errors.WithStack(err)
		}
		var err error
		if envs[dir], err = suite.ReadEnvironments(dir); err != nil {
			return nil, err
		}
	}
	var all []*section
	for _, e := range experiments.All() {
		for _, scale := range experiments.Scales {
			s := &section{e: e, scale: scale, config: e.Scales[scale], files: make(map[string]runFile)}
			for _, dir := range dirs {
				if err := s.read(dir, envs[dir], stderr); err != nil {
					return nil, err
				}
			}
			if !s.empty() {
				s.hideTimes()
				s.sort()
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// read adds the results of a folder.
func (s *section) read(dir string, envs []suite.Environment, stderr io.Writer) error {
	if err := s.addComputed(dir, stderr); err != nil {
		return err
	}
	paths, err := suite.RunFiles(dir, s.e.Name, s.scale)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := s.add(path, envs, stderr); err != nil {
			return err
		}
	}
	return nil
}

func leftOut(stderr io.Writer, path, why string) {
	fmt.Fprintf(stderr, "report: %s is left out: %s\n", path, why)
}

func (s *section) add(path string, envs []suite.Environment, stderr io.Writer) error {
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
	run.Made(envs)
	run = run.Condensed()
	who := fmt.Sprintf("%s, variant %q, seed %d", h.Method, h.Variant, h.Seed)
	if first, ok := s.files[who]; ok {
		if filepath.Dir(first.path) != filepath.Dir(path) && run.Equal(first.run) {
			return nil
		}
		return errors.Errorf("%s and %s are the same run: %s", first.path, path, who)
	}
	s.files[who] = runFile{path, run}
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
		return i + slices.IndexFunc(s.e.VariantsOf(r.method.Name, s.scale), func(v experiments.Variant) bool { return v.Name == r.header.Variant })
	}
	slices.SortStableFunc(s.series, func(a, b *series) int { return place(a) - place(b) })
	for _, r := range s.series {
		slices.SortFunc(r.runs, func(a, b *suite.Run) int { return int(a.Header.Seed) - int(b.Header.Seed) })
		r.header = r.runs[0].Header
	}
}
