package record

import (
	"iter"
	"maps"
	"slices"
	"strconv"
)

// Scalars are the numbers of a step by name, for logs that keep a curve for each name.
// A slash puts names into groups:
//
//	loss
//	rate, or rate/0, rate/1, … where there are several
//	hyperparameters/NAME
//	q/q, q/loss, q/fsd, q/wsd, q/lambda_fsd, q/lambda_wsd, q/epsilon, q/grad_norm, q/skipped
//	precond/BLOCK/norm_A, norm_B, norm_S
//	precond/BLOCK/energy_A, energy_B, condition, trace, discrepancy
//	loss_scale, step_skipped
//	seconds/base, seconds/meta
//
// Those that a step has not are left out; see Stats, MetaStats, PrecondNorms and
// PrecondMeasures for what they are. Booleans are 0 or 1, and q/epsilon is 1 for rules that
// look a whole step ahead.
func (s Stats) Scalars() iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		for _, part := range []func() []scalar{s.training, s.objective, s.preconditioner, s.cost} {
			for _, x := range part() {
				if !yield(x.name, x.value) {
					return
				}
			}
		}
	}
}

type scalar struct {
	name  string
	value float64
}

func (s Stats) training() []scalar {
	all := []scalar{{"loss", s.Loss}}
	for i, r := range s.Rates {
		name := "rate"
		if len(s.Rates) > 1 {
			name += "/" + strconv.Itoa(i)
		}
		all = append(all, scalar{name, r})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Hyperparameters)) {
		all = append(all, scalar{"hyperparameters/" + name, s.Hyperparameters[name]})
	}
	return all
}

func (s Stats) objective() []scalar {
	m := s.Meta
	if m == nil {
		return nil
	}
	return []scalar{
		{"q/q", m.Q}, {"q/loss", m.Loss}, {"q/fsd", m.FSD}, {"q/wsd", m.WSD}, {"q/lambda_fsd", m.LambdaFSD}, {"q/lambda_wsd", m.LambdaWSD},
		{"q/epsilon", m.part()}, {"q/grad_norm", m.GradNorm}, {"q/skipped", indicator(m.Skipped)},
	}
}

func (s Stats) preconditioner() (all []scalar) {
	for _, p := range s.Precond {
		block := "precond/" + p.Block + "/"
		all = append(all, scalar{block + "norm_A", p.A}, scalar{block + "norm_B", p.B}, scalar{block + "norm_S", p.S})
		if m := p.Measures; m != nil {
			all = append(all, scalar{block + "energy_A", m.EnergyA}, scalar{block + "energy_B", m.EnergyB},
				scalar{block + "condition", m.Condition}, scalar{block + "trace", m.Trace}, scalar{block + "discrepancy", m.Discrepancy})
		}
	}
	return all
}

func (s Stats) cost() (all []scalar) {
	if s.LossScale != 0 {
		all = append(all, scalar{"loss_scale", s.LossScale})
	}
	if s.maySkip() {
		all = append(all, scalar{"step_skipped", indicator(s.StepSkipped)})
	}
	all = append(all, scalar{"seconds/base", s.BaseTime.Seconds()})
	if s.Meta != nil {
		all = append(all, scalar{"seconds/meta", s.MetaTime.Seconds()})
	}
	return all
}

// indicator is 1 for true and 0 for false.
func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
