package selftune

import "github.com/apo-gorgonia/apo/benchmarks/suite"

// pace scales the seconds of an entry's runs on each CPU to those of the fastest of its
// seeds there at the usual start, for all its runs compute the same and other work on the
// machine only adds. Each entry has as many runs to be the fastest. Runs that diverged are
// shorter: they keep what was measured.
func (s *taskResult) pace(e entry, starts []start) {
	usual := starts[0]
	for _, at := range starts {
		if at.factor == 1 {
			usual = at
		}
	}
	fastest := make(map[string]float64)
	for _, seed := range s.seeds {
		r := s.run(e, usual, seed)
		if least, ok := fastest[cpuOf(r)]; whole(r) && (!ok || r.Done.Seconds < least) {
			fastest[cpuOf(r)] = r.Done.Seconds
		}
	}
	for _, seed := range s.seeds {
		for _, at := range starts {
			r := s.run(e, at, seed)
			least, ok := fastest[cpuOf(r)]
			if !ok || !whole(r) {
				continue
			}
			factor := least / r.Done.Seconds // 1 for a run that counts for several starts, the second time
			for i := range r.Evaluations {
				r.Evaluations[i].Seconds *= factor
			}
			r.Done.Seconds = least
		}
	}
}

// cpuOf is the CPU of a run, empty if it is not known.
func cpuOf(r *suite.Run) string {
	if r.Environment == nil {
		return ""
	}
	return r.Environment.CPU
}

// whole reports whether a run took all its steps.
func whole(r *suite.Run) bool { return r.Done.DivergedAt == nil && r.Done.Seconds > 0 }
