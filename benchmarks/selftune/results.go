package selftune

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// taskResult has the stored runs of a held-out task.
type taskResult struct {
	experiments.SelfTuningTask
	reference []*suite.Run
	target    float64
	// runs are by method, variant and seed.
	runs map[runKey]*suite.Run
	// seeds are those with which all entries have been run from all starts.
	seeds []uint64
}

type runKey struct {
	method, variant string
	seed            uint64
}

// results are the stored runs of the chosen tasks.
type results struct {
	o       *options
	entries []entry       // those with any run
	tasks   []*taskResult // those that can be compared
	left    []string      // what is left out, and why
	// machines are those of the runs, by their first dates.
	machines []suite.Environment
}

// load reads the results folder.
func (o *options) load() (*results, error) {
	r := &results{o: o}
	envs, err := suite.ReadEnvironments(o.dir)
	if err != nil {
		return nil, err
	}
	var all []*taskResult
	ran := make(map[string]bool)
	for _, t := range o.tasks {
		s, err := o.loadTask(t, envs)
		if err != nil {
			return nil, err
		}
		for k := range s.runs {
			ran[k.method+k.config()] = true
		}
		all = append(all, s)
	}
	var absent []string
	for _, e := range entriesOf(o.competitors) {
		if ran[e.Name+e.config] {
			r.entries = append(r.entries, e)
		} else {
			absent = append(absent, e.label())
		}
	}
	if len(absent) > 0 {
		r.left = append(r.left, "not run: "+strings.Join(absent, "; "))
	}
	for _, t := range all {
		if why := t.complete(r.entries, o.starts); why != "" {
			r.left = append(r.left, t.Title+": "+why)
			continue
		}
		for _, e := range r.entries {
			t.pace(e, o.starts)
		}
		r.tasks = append(r.tasks, t)
		r.addMachines(t)
	}
	if len(r.tasks) == 0 {
		return nil, errors.Errorf("%s has no task that all of its methods have been run on: %q", o.dir, r.left)
	}
	return r, nil
}

// addMachines adds those of a task's runs.
func (r *results) addMachines(t *taskResult) {
	for _, run := range slices.AppendSeq(slices.Clone(t.reference), maps.Values(t.runs)) {
		if run.Environment == nil {
			continue
		}
		e := *run.Environment
		i := slices.IndexFunc(r.machines, func(m suite.Environment) bool { m.Date = e.Date; return m == e })
		if i < 0 {
			r.machines = append(r.machines, e)
		} else {
			r.machines[i].Date = min(r.machines[i].Date, e.Date)
		}
	}
	slices.SortFunc(r.machines, func(a, b suite.Environment) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.BLAS, b.BLAS))
	})
}

// config is the configuration of a variant.
func (k runKey) config() string {
	for _, c := range configurations {
		if k.variant == c || len(k.variant) > len(c) && k.variant[:len(c)+1] == c+"-" {
			return c
		}
	}
	return ""
}

// loadTask reads the finished runs of a task, as they were measured or as the command store
// keeps them, which gives the same curves.
func (o *options) loadTask(t experiments.SelfTuningTask, envs []suite.Environment) (*taskResult, error) {
	s := &taskResult{SelfTuningTask: t, runs: make(map[runKey]*suite.Run)}
	paths, err := suite.RunFiles(o.dir, t.Name, o.scale)
	if err != nil {
		return nil, errors.Wrap(err, "-out")
	}
	for _, path := range paths {
		run, err := suite.ReadRun(path)
		switch {
		case errors.Is(err, suite.ErrNoHeader):
			continue
		case err != nil:
			return nil, err
		}
		if h := run.Header; run.Done == nil || h.Trial > 0 || o.mostSeeds > 0 && h.Seed > uint64(o.mostSeeds) {
			continue
		}
		run.Made(envs)
		if err := s.add(run.Condensed()); err != nil {
			return nil, errors.WithMessage(err, path)
		}
	}
	s.target = targetOf(t.Measure, s.reference)
	return s, nil
}

// add adds a run. Runs that differ in seed alone must have the same settings.
func (s *taskResult) add(run *suite.Run) error {
	h := run.Header
	if h.Experiment != s.Name {
		return errors.Errorf("a run of %s in the folder of %s", h.Experiment, s.Name)
	}
	key := runKey{h.Method, h.Variant, h.Seed}
	if other, ok := s.runs[key]; ok && !other.Equal(run) {
		return errors.Errorf("another run of %s, variant %s, seed %d is in the folder", h.Method, h.Variant, h.Seed)
	}
	if h.Variant == reference {
		if len(s.reference) > 0 && !maps.Equal(s.reference[0].Header.Values, h.Values) {
			return errors.New("its values differ from those of other seeds; run selftune again with -redo")
		}
		s.reference = append(s.reference, run)
		return nil
	}
	for k, other := range s.runs {
		if k.method == h.Method && k.variant == h.Variant && !maps.Equal(other.Header.Values, h.Values) {
			return errors.Errorf("its values differ from those of seed %d; run selftune again with -redo", k.seed)
		}
	}
	s.runs[key] = run
	return nil
}

// complete finds the common seeds, or says why the task cannot be compared.
func (s *taskResult) complete(entries []entry, starts []start) string {
	if len(s.reference) == 0 {
		return "no target"
	}
	missing := ""
	for seed := uint64(1); seed <= uint64(max(s.Seeds, len(s.runs))); seed++ {
		without := ""
		for _, e := range entries {
			for _, at := range starts {
				if s.run(e, at, seed) == nil {
					without = e.label() + " from the start " + at.name
				}
			}
		}
		if without == "" {
			s.seeds = append(s.seeds, seed)
		} else if missing == "" {
			missing = without
		}
	}
	if len(s.seeds) == 0 {
		return "not run by all methods; missing is " + missing
	}
	return ""
}

// run is the run of an entry from a start, nil if there is none.
func (s *taskResult) run(e entry, at start, seed uint64) *suite.Run {
	return s.runs[runKey{e.Name, e.variant(at), seed}]
}

// longest is the longest run of any entry.
func (s *taskResult) longest() cost {
	var c cost
	for _, r := range s.runs {
		c.steps = max(c.steps, float64(r.Header.Config.Steps))
		c.seconds = max(c.seconds, r.Done.Seconds)
	}
	return c
}

// values are the stored hyperparameters of an entry.
func (r *results) values(e entry) (h suite.Header) {
	for _, t := range r.tasks {
		for _, at := range r.o.starts {
			if run := t.run(e, at, t.seeds[0]); run != nil && at.factor == 1 {
				return run.Header
			}
		}
	}
	return h
}

// seedsUsed are the numbers of common seeds by task, without repetition.
func (r *results) seedsUsed() []int {
	var n []int
	for _, t := range r.tasks {
		n = append(n, len(t.seeds))
	}
	slices.Sort(n)
	return slices.Compact(n)
}
