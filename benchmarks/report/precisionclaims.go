package report

import (
	"fmt"
	"math"

	"github.com/apo-gorgonia/apo/apoops"
)

// precisionClaims are those of the paper about training in 16 bits. It gives no number for
// "large" and "stable". Here KFAC bears a damping in a precision if no run diverged, nothing
// failed, and the mean test accuracy is at most 1 point below that with the same damping
// in float32; the damping that it needs is the least from which on it bears all.
// APO-Precond is stable if no run diverged and nothing failed.
var precisionClaims = []claim{
	{where: "Table 3", experiments: []string{"table3-damping"},
		text: "KFAC needs a larger damping in float16 than in float32", check: largerDamping(apoops.Float16)},
	{where: "Table 3", experiments: []string{"table3-damping"},
		text: "KFAC needs a larger damping in bfloat16 than in float32", check: largerDamping(apoops.BFloat16)},
	{where: "Table 3", experiments: table3Nets, about: inLow("precond", "precond-plain"),
		text: "APO-Precond is stable with its settings of float32", check: stable},
}

// precisionGoals are the goals of this project for 16 bits.
var precisionGoals = []claim{
	{where: "goal", experiments: table3Nets, about: inLow("sgdm", "adam", "precond", "precond-plain"),
		text: "with its settings of float32 it loses at most 1 point of test accuracy", check: losesAtMost(1)},
}

// table3Nets are the experiments of Table 3 with all methods.
var table3Nets = []string{"table3-cifar10-lenet", "table3-cifar10-resnet18", "table3-cifar100-resnet18"}

// inLow selects the 16-bit series of methods.
func inLow(names ...string) func(*section, *series) bool {
	return func(_ *section, r *series) bool {
		for _, name := range names {
			if r.method.Name == name && r.low() {
				return true
			}
		}
		return false
	}
}

// losesAtMost asks for a mean accuracy that is at most some points below that in float32.
func losesAtMost(points float64) func(*section, *series) (verdict, string) {
	return func(s *section, r *series) (verdict, string) {
		o := s.full(r)
		if o == nil {
			return notRun, r.method.Name + " was not run in float32"
		}
		detail := fmt.Sprintf("test accuracy, mean %s, in float32 %s", meanText(r.accuracies()), meanText(o.accuracies()))
		switch p := r.points(s); {
		case math.IsNaN(p):
			return notRun, "no test accuracy"
		case p >= -points-1e-9: // 0.01 is no binary fraction
			return holds, detail
		}
		return fails, detail
	}
}

func stable(_ *section, r *series) (verdict, string) {
	failed := mean(r.each(fallbacks))
	detail := fmt.Sprintf("%d of %d runs diverged, %s failures a run, %s steps skipped", r.diverged(), len(r.runs), number(failed), number(mean(r.each(skippedSteps))))
	if r.diverged() == 0 && failed == 0 {
		return holds, detail
	}
	return fails, detail
}

// largerDamping asks for a least damping above that of float32.
func largerDamping(f apoops.Format) func(*section, *series) (verdict, string) {
	return func(s *section, _ *series) (verdict, string) {
		full, low := s.leastSweep("float32"), s.leastSweep(f.String())
		if math.IsNaN(full) || math.IsNaN(low) {
			return notRun, "not run in both precisions"
		}
		detail := fmt.Sprintf("%s; float32: %s; best accuracy: %s, float32: %s",
			leastText(low), leastText(full), s.bestSweep(f.String()), s.bestSweep("float32"))
		if low > full {
			return holds, detail
		}
		return fails, detail
	}
}

func leastText(x float64) string {
	if math.IsInf(x, 0) {
		return "no damping is large enough"
	}
	return fmt.Sprintf("a damping from %g on", x)
}

// leastSweep is the least value from which on, up to the one of the best accuracy, a
// precision has no failures and loses at most 1 point: +Inf where the best one has, NaN
// where none was run. Series are in the order of values.
func (s *section) leastSweep(precision string) float64 {
	least, best, below := math.NaN(), math.Inf(-1), math.Inf(1)
	for _, r := range s.series {
		if r.precision() != precision {
			continue
		}
		if r.diverged() > 0 || mean(r.each(fallbacks)) > 0 || r.points(s) < -1-1e-9 {
			below = math.Inf(1)
		} else {
			below = min(below, r.sweep())
		}
		if a := mean(r.accuracies()); a > best || math.IsNaN(least) {
			best, least = max(a, best), below
		}
	}
	return least
}

// bestSweep is the value with the best mean accuracy in a precision.
func (s *section) bestSweep(precision string) string {
	top, text := math.Inf(-1), "-"
	for _, r := range s.series {
		if a := mean(r.accuracies()); r.precision() == precision && a > top {
			top, text = a, fmt.Sprintf("%s at %g", meanText(r.accuracies()), r.sweep())
		}
	}
	return text
}
