package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// Job is one training run. It has everything on which the run's numbers depend.
type Job struct {
	Experiment string             `json:"experiment"`
	Scale      experiments.Scale  `json:"scale"`
	Method     string             `json:"method"`
	Variant    string             `json:"variant,omitempty"`
	Seed       uint64             `json:"seed"`
	Values     methods.Values     `json:"values"`
	Rate       float64            `json:"initial_rate,omitempty"`
	Config     experiments.Config `json:"config"`
	// RarePeriod is the usual period of the method's rare work (methods.Method.Rare)
	// in a measurement of time for which Values has a shorter one.
	RarePeriod int `json:"rare_period,omitempty"`
	// MetaSteps is the number of meta-steps in a run of longRun steps, for a measurement
	// of time of a method with methods.Method.Learning.
	MetaSteps int `json:"meta_steps,omitempty"`
	// Trial is the number of the configuration in a search, from 1; 0 for other runs.
	Trial int `json:"trial,omitempty"`
}

// newJob makes a job with the method's stored settings. source says where they come
// from.
func newJob(e *experiments.Experiment, scale experiments.Scale, m *methods.Method, v experiments.Variant, seed uint64) (j Job, source string, err error) {
	if j, source, err = wholeJob(e, scale, m, v, seed); err != nil {
		return Job{}, "", err
	}
	if e.TimedAt(scale) {
		j.shorten(m)
	}
	j.Rate, err = initialRate(e, scale, m, v)
	return j, source, err
}

// wholeJob is newJob without the initial rate and, at a scale that only measures time,
// before it is shortened.
func wholeJob(e *experiments.Experiment, scale experiments.Scale, m *methods.Method, v experiments.Variant, seed uint64) (j Job, source string, err error) {
	values, source, err := m.Settings(e.Search(scale))
	if err != nil {
		return Job{}, "", err
	}
	j = Job{Experiment: e.Name, Scale: scale, Method: m.Name, Variant: v.Name, Seed: seed, Values: values, Config: e.Config(scale, v)}
	maps.Copy(j.Values, v.Values)
	if v.Times != 0 {
		j.Values["lr"] *= v.Times
		source += fmt.Sprintf(", the rate times %.3g", v.Times)
	}
	return j, source, nil
}

// shorten adapts the settings to a measurement of few steps: rare work is done in the
// middle and at the end, and steps with and without a meta-step are mixed.
func (j *Job) shorten(m *methods.Method) {
	measured := j.Config.Steps - 1
	if period := int(j.Values[m.Rare]); m.Rare != "" && period > measured {
		j.RarePeriod = period
		j.Values[m.Rare] = float64(max(1, measured/2))
	}
	if m.Learning != nil {
		j.MetaSteps = m.Learning(j.Values, longRun)
	}
	if measured < warmedUp || m.Learning != nil {
		for name, value := range m.Brief {
			if _, ok := j.Values[name]; ok {
				j.Values[name] = value
			}
		}
	}
}

// warmedUp is the number of steps above which a measurement keeps the method's usual
// warm-up.
const warmedUp = 100

// longRun is the number of steps that the time of a step is a mean over.
const longRun = 1000

// initialRate is the best fixed rate of the base optimizer times the variant's factor;
// 0 for a method without a Base.
func initialRate(e *experiments.Experiment, scale experiments.Scale, m *methods.Method, v experiments.Variant) (float64, error) {
	if m.Base == "" {
		return 0, nil
	}
	base, err := methods.Get(m.Base)
	if err != nil {
		return 0, err
	}
	fixed, _, err := base.Settings(e.Search(scale))
	return fixed["lr"] * v.Factor, err
}

// name is unique among the jobs of an experiment at a scale.
func (j Job) name() string {
	name := j.Method
	if j.Variant != "" {
		name += "-" + j.Variant
	}
	if j.Trial > 0 {
		name += fmt.Sprintf("-trial%02d", j.Trial)
	}
	return fmt.Sprintf("%s-seed%d", name, j.Seed)
}

// Path is the path of the job's file in dir.
func (j Job) Path(dir string) string {
	return filepath.Join(dir, j.Experiment, string(j.Scale), j.name()+rawExt)
}

// storedPath is the path of the job's condensed run in dir.
func (j Job) storedPath(dir string) string {
	return strings.TrimSuffix(j.Path(dir), rawExt) + storedExt
}

func (j Job) String() string { return fmt.Sprintf("%s %s %s", j.Experiment, j.Scale, j.name()) }

// same reports whether two jobs have the same settings.
func (j Job) same(o Job) bool { return sameText(j, o) }

// sameText reports whether two values are the same as JSON.
func sameText(x, y any) bool {
	a, errA := json.Marshal(x) // maps are written in the order of their keys
	b, errB := json.Marshal(y)
	return errA == nil && errB == nil && string(a) == string(b)
}
