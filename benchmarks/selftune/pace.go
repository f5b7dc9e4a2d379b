package selftune

import "github.com/apo-gorgonia/apo/benchmarks/suite"

// pace scales the seconds of an entry's runs to those of the fastest of its seeds at the
// usual start, for all its runs compute the same and other work on the machine only adds.
// Each entry has as many runs to be the fastest. Runs that diverged are shorter: they keep
// what was measured.
func (s *taskResult) pace(e entry, starts []start) {
	usual := starts[0]
	for _, at := range starts {
		if at.factor == 1 {
			usual = at
		}
	}
	fastest := 0.0
	for _, seed := range s.seeds {
		if r := s.run(e, usual, seed); whole(r) && (fastest == 0 || r.Done.Seconds < fastest) {
			fastest = r.Done.Seconds
		}
	}
	if fastest == 0 {
		return
	}
	for _, seed := range s.seeds {
		for _, at := range starts {
			r := s.run(e, at, seed)
			if !whole(r) {
				continue
			}
			factor := fastest / r.Done.Seconds // 1 for a run that counts for several starts, the second time
			for i := range r.Evaluations {
				r.Evaluations[i].Seconds *= factor
			}
			r.Done.Seconds = fastest
		}
	}
}

// whole reports whether a run took all its steps.
func whole(r *suite.Run) bool { return r.Done.DivergedAt == nil && r.Done.Seconds > 0 }
