package report

import "fmt"

// imageClaims are the claims of the paper about the test accuracies in Tables 2 and 4
// and Figure 5. The paper gives no number for "competitive"; here it means at least
// the lower of the accuracies of SGDm and KFAC, or at most one point below that of the
// manual schedule.
var imageClaims = []claim{
	{where: "§6.1", experiments: []string{"table2"}, about: structured,
		text: "APO-Precond's test accuracy is competitive with SGDm's and KFAC's",
		check: func(s *section, r *series) (verdict, string) {
			sgdm, kfac := s.find("sgdm"), s.find("kfac")
			if sgdm == nil || kfac == nil {
				return notRun, "sgdm or kfac was not run"
			}
			return r.atLeast(min(sgdm.accuracy().median, kfac.accuracy().median), "the lower one of SGDm's and KFAC's")
		}},
	{where: "§6.1", experiments: withoutBatchNorm, about: structured,
		text:  "without batch norm APO-Precond improves the test accuracy (above SGDm's, Adam's and KFAC's)",
		check: above("sgdm", "adam", "kfac")},
	{where: "§6.2", experiments: []string{"table4", "fig5-accuracy"}, about: adapted,
		text: "APO yields a higher test accuracy than the best fixed rate",
		check: func(s *section, r *series) (verdict, string) {
			return above(r.method.Base)(s, r)
		}},
	{where: "§6.2", experiments: []string{"table4", "fig5-accuracy"}, about: adapted,
		text: "APO is competitive with the manual schedule (test accuracy at most 1 point below)",
		check: func(s *section, r *series) (verdict, string) {
			decay := s.find(r.method.Base + "-decay")
			if decay == nil {
				return notRun, r.method.Base + "-decay was not run"
			}
			return r.atLeast(decay.accuracy().median-0.01, "the schedule's less 1 point")
		}},
}

// imageGoals are the goals of this project for nets for images.
var imageGoals = []claim{
	{where: "goal", experiments: []string{"table2"}, about: structured,
		text:  "APO-Precond's test accuracy is at least the best of SGDm's, Adam's and KFAC's",
		check: notBelow("sgdm", "adam", "kfac")},
	{where: "goal", experiments: []string{"table4"}, about: adapted,
		text: "Base-APO's test accuracy is at least that of the best fixed rate",
		check: func(s *section, r *series) (verdict, string) {
			return notBelow(r.method.Base)(s, r)
		}},
	{where: "goal", experiments: []string{"table4-cifar10-lenet", "table2-cifar10-resnet18"}, about: adapted, timed: true, byTime: true,
		text: "a step of Base-APO takes at most 1.30 times that at a fixed rate",
		check: func(s *section, r *series) (verdict, string) {
			fixed := s.find(r.method.Base)
			if fixed == nil {
				return notRun, r.method.Base + " was not run"
			}
			detail := ratio(r, fixed) + " times"
			if r.secondsPerStep() <= 1.3*fixed.secondsPerStep() {
				return holds, detail
			}
			return fails, detail
		}},
}

// withoutBatchNorm are the nets of Table 2 that have no batch norm.
var withoutBatchNorm = []string{
	"table2-cifar10-lenet", "table2-cifar10-alexnet", "table2-cifar10-vgg16", "table2-cifar100-alexnet", "table2-cifar100-vgg16",
}

// above asks for an accuracy above that of each of the others, notBelow for at least
// that.
func above(others ...string) func(*section, *series) (verdict, string) {
	return compareAccuracies(others, func(mine, its float64) bool { return mine > its })
}

func notBelow(others ...string) func(*section, *series) (verdict, string) {
	return compareAccuracies(others, func(mine, its float64) bool { return mine >= its })
}

func compareAccuracies(others []string, won func(mine, its float64) bool) func(*section, *series) (verdict, string) {
	return func(s *section, r *series) (verdict, string) {
		v, detail := holds, "test accuracy, median "+percent(r.accuracy().median)
		for _, name := range others {
			o := s.find(name)
			if o == nil {
				return notRun, name + " was not run"
			}
			if !won(r.accuracy().median, o.accuracy().median) {
				v = fails
			}
			detail += fmt.Sprintf(", %s %s", o.label, percent(o.accuracy().median))
		}
		return v, detail
	}
}

// atLeast asks for an accuracy of at least the bound.
func (r *series) atLeast(bound float64, what string) (verdict, string) {
	detail := fmt.Sprintf("test accuracy, median %s, %s %s", percent(r.accuracy().median), what, percent(bound))
	if r.accuracy().median >= bound {
		return holds, detail
	}
	return fails, detail
}
