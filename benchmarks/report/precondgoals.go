package report

import (
	"fmt"
	"math"
)

// recommendedGoals are the goals of this project for APO-Precond's recommended form
// that are not among those for all forms.
var recommendedGoals = append(costGoals(),
	claim{where: "goal", experiments: []string{"cost"}, about: recommended, timed: true, byTime: true,
		text: "a step takes less time than KFAC's",
		check: func(s *section, r *series) (verdict, string) {
			return s.below(r, "kfac", 1, (*series).secondsPerStep, "times the time of a step")
		}},
	claim{where: "goal", experiments: []string{"cost-resnet18"}, about: recommended, timed: true,
		text: "peak memory is at most 1.3 times SGDm's",
		check: func(s *section, r *series) (verdict, string) {
			return s.below(r, "sgdm", 1.3, (*series).peakBytes, "times the memory")
		}},
	claim{where: "goal", experiments: []string{"mnist-mlp", "fig3-protein", "fig3-parkinsons", "fig4-autoencoder"}, about: recommended,
		text: "the final training loss is at most 1.2 times KFAC's at equal steps",
		check: func(s *section, r *series) (verdict, string) {
			return s.below(r, "kfac", 1.2, func(r *series) float64 { return r.final().median }, "times the final training loss")
		}},
	claim{where: "goal", experiments: []string{"mnist-mlp", "fig4-autoencoder", "table2-cifar10-lenet"}, about: recommended,
		text: "the training loss is at most KFAC's at equal seconds, when the first of the two runs ends", check: atEqualSeconds("kfac"), byTime: true},
	claim{where: "goal", experiments: []string{"fig4-illcond"},
		text: "one form of APO-Precond ends at KFAC's training loss or lower", check: oneFormAtMost("kfac")},
	claim{where: "goal", experiments: []string{"mnist-mlp", "fig3-protein", "fig3-parkinsons", "fig4-autoencoder", "fig4-illcond"}, about: untuned,
		text: "with its defaults the final training loss is at most 1.1 times the tuned one's",
		check: func(s *section, r *series) (verdict, string) {
			return s.below(r, "precond", 1.1, func(r *series) float64 { return r.final().median }, "times the final training loss")
		}},
	claim{where: "goal", experiments: []string{"table2-cifar10-lenet"}, about: recommended,
		text: "the test accuracy is at least KFAC's", check: notBelow("kfac")},
	claim{where: "goal", experiments: []string{"table2-cifar10-resnet8"}, about: recommended,
		text: "the test accuracy is at least SGDm's", check: notBelow("sgdm")},
	claim{where: "goal", experiments: []string{"table2-cifar10-resnet8"}, about: recommended,
		text: "the test accuracy is at least Adam's", check: notBelow("adam")},
	claim{where: "goal", experiments: []string{"table2-cifar10-resnet8"}, about: recommended,
		text: "the test accuracy is at least KFAC's", check: notBelow("kfac")},
	claim{where: "goal", experiments: []string{"resnet18-start"}, about: recommended,
		text: "the training loss after 50 steps is at most KFAC's", check: atMost("kfac")},
)

// recommended selects the recommended form of APO-Precond.
func recommended(_ *section, r *series) bool { return r.method.Name == "precond" }

// untuned selects the recommended form with its defaults.
func untuned(_ *section, r *series) bool { return r.method.Name == "precond-default" }

// costGoals limit the time of a step.
func costGoals() (all []claim) {
	for _, g := range []struct {
		experiment string
		limit      float64
	}{{"cost-mlp", 1.4}, {"cost-autoencoder", 1.5}, {"cost-lenet", 1.6}, {"cost-resnet18", 1.4}} {
		all = append(all, claim{where: "goal", experiments: []string{g.experiment}, about: recommended, timed: true, byTime: true,
			text: fmt.Sprintf("a step of a run of 1000 steps, with all learning, takes at most %.1f times SGDm's", g.limit),
			check: func(s *section, r *series) (verdict, string) {
				return s.below(r, "sgdm", g.limit, (*series).secondsPerStep, "times the time of a step")
			}})
	}
	return all
}

// below asks for a quantity that is at most limit times another method's.
func (s *section) below(r *series, other string, limit float64, of func(*series) float64, what string) (verdict, string) {
	o := s.find(other)
	if o == nil {
		return notRun, other + " was not run"
	}
	times := of(r) / of(o)
	detail := fmt.Sprintf("%.2f %s of %s: %s against %s", times, what, o.label, number(of(r)), number(of(o)))
	if times <= limit && !math.IsInf(of(r), 0) {
		return holds, detail
	}
	return fails, detail
}

// atEqualSeconds compares the training losses at the time when the first of two runs
// ends.
func atEqualSeconds(other string) func(*section, *series) (verdict, string) {
	return func(s *section, r *series) (verdict, string) {
		o := s.find(other)
		if o == nil {
			return notRun, other + " was not run"
		}
		at := min(r.seconds(), o.seconds())
		mine, its := r.lossAfter(at), o.lossAfter(at)
		detail := fmt.Sprintf("after %s s %s, %s %s", seconds(at), number(mine), o.label, number(its))
		if mine <= its && !math.IsInf(mine, 0) {
			return holds, detail
		}
		return fails, detail
	}
}

// oneFormAtMost asks for one form of APO-Precond whose final loss is at most the
// other's.
func oneFormAtMost(other string) func(*section, *series) (verdict, string) {
	return func(s *section, _ *series) (verdict, string) {
		least := -1
		for i, r := range s.series {
			if structured(s, r) && (least < 0 || r.final().median < s.series[least].final().median) {
				least = i
			}
		}
		if least < 0 {
			return notRun, "no form was run"
		}
		r := s.series[least]
		v, detail := atMost(other)(s, r)
		return v, r.label + ": " + detail
	}
}
