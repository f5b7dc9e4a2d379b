package report

import "math"

// goals are the goals of this project for Figures 3 and 4, for the MLP on MNIST and for
// the cost of a step.
var goals = []claim{
	{where: "goal", experiments: preconditionerFigures, about: structured,
		text:  "APO-Precond's final training loss is at most KFAC's and the best of SGDm's, Adam's and Shampoo's at equal steps",
		check: atMost(baselines...)},
	{where: "goal", experiments: preconditionerFigures, about: structured,
		text:  "APO-Precond reaches Adam's final loss no later than Adam by wall-clock time",
		check: soonerThanAdam, byTime: true},
	{where: "goal", experiments: []string{"fig4-mnist-lr"}, about: adapted,
		text: "Base-APO's final training loss is at most that of the best fixed rate",
		check: func(s *section, r *series) (verdict, string) {
			return atMost(r.method.Base)(s, r)
		}},
	{where: "goal", experiments: []string{"cost-autoencoder"}, about: plainPrecond, timed: true, byTime: true,
		text: "a step takes at most 1.0 times EKFAC's time and 2.8 times SGDm's",
		check: func(s *section, r *series) (verdict, string) {
			ekfac, sgdm := s.find("ekfac"), s.find("sgdm")
			if ekfac == nil || sgdm == nil {
				return notRun, "ekfac or sgdm was not run"
			}
			detail := ratio(r, ekfac) + " times EKFAC's, " + ratio(r, sgdm) + " times SGDm's"
			if t := r.secondsPerStep(); t <= ekfac.secondsPerStep() && t <= 2.8*sgdm.secondsPerStep() {
				return holds, detail
			}
			return fails, detail
		}},
}

// plainPrecond selects the paper's form of APO-Precond.
func plainPrecond(_ *section, r *series) bool { return r.method.Name == "precond-plain" }

// preconditionerFigures are the experiments that compare preconditioners.
var preconditionerFigures = []string{"fig4-illcond", "fig3", "fig4-autoencoder", "mnist-mlp"}

// soonerThanAdam compares the times to Adam's final loss.
func soonerThanAdam(s *section, r *series) (verdict, string) {
	adam := s.find("adam")
	if adam == nil {
		return notRun, "adam was not run"
	}
	target := adam.final().median
	if math.IsInf(target, 0) {
		return notRun, "Adam diverged"
	}
	mine, its := r.timeTo(target), adam.timeTo(target)
	detail := seconds(mine) + " s against Adam's " + seconds(its) + " s"
	if mine <= its && !math.IsInf(mine, 0) {
		return holds, detail
	}
	return fails, detail
}
