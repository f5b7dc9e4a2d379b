package report

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// addComputed reads the result of the experiment's computation, if there is one.
func (s *section) addComputed(dir string, stderr io.Writer) error {
	if s.e.Computation == nil {
		return nil
	}
	path := suite.ComputedPath(dir, s.e.Name, s.scale)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return errors.WithStack(err)
	case len(text) == 0:
		leftOut(stderr, path, "it is empty")
		return nil
	}
	was := s.result
	s.result, err = s.e.Computation.Decode(text)
	if err == nil && was != nil && !reflect.DeepEqual(was, s.result) {
		err = errors.New("another folder has another result")
	}
	return errors.WithMessage(err, path)
}

// drawComputed draws the figures of the computed result, if there is one.
func (s *section) drawComputed(dir string) ([]figure, error) {
	if s.result == nil {
		return nil, nil
	}
	var all []figure
	for _, f := range s.result.Figures(s.e.Title) {
		name := s.name() + "-" + f.Name
		if err := f.Chart.Save(filepath.Join(dir, name+".png"), filepath.Join(dir, name+".svg")); err != nil {
			return nil, err
		}
		all = append(all, figure{name, f.Caption})
	}
	return all, nil
}

// computedClaims are the claims that the computed results of the experiments decide.
func computedClaims() (all []claim) {
	for _, e := range experiments.All() {
		if e.Computation == nil {
			continue
		}
		for _, c := range e.Computation.Claims() {
			all = append(all, claim{where: c.Where, text: c.Text, experiments: []string{e.Name}, check: byResult(c)})
		}
	}
	return all
}

// byResult decides a claim by a section's computed result.
func byResult(c experiments.Claim) func(*section, *series) (verdict, string) {
	return func(s *section, _ *series) (verdict, string) {
		if s.result == nil {
			return notRun, "no results"
		}
		ok, numbers := c.Decide(s.result)
		if ok {
			return holds, numbers
		}
		return fails, numbers
	}
}
