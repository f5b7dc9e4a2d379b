package trainers

import (
	"regexp"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// kindsOfState are the kinds by the ends of the names in checkpoints.
var kindsOfState = []struct {
	name *regexp.Regexp
	kind precision.Kind
}{
	{regexp.MustCompile(`^state/graft/.*/v$`), precision.SecondMoments},
	{regexp.MustCompile(`^state/.*/(v|m)$`), precision.Momentum},
	{regexp.MustCompile(`^state/.*/(inverse|basis|root)/[AGLR]$`), precision.Inverses},
	{regexp.MustCompile(`^state/.*/[AGSLRh]$`), precision.Factors},
	{regexp.MustCompile(`^phi/`), precision.Phi},
}

// kindOfState is the kind of an array of a checkpoint; ok is false for those of none.
func kindOfState(a NamedTensor) (k precision.Kind, ok bool) {
	if a.Dtype() != tensor.Float32 {
		return 0, false
	}
	for _, s := range kindsOfState {
		if s.name.MatchString(a.Name) {
			return s.kind, true
		}
	}
	return 0, false
}

func isOf(f apoops.Format, a *tensor.Dense) bool {
	for _, v := range numbers(a) {
		if apoops.Round16(f, v) != v {
			return false
		}
	}
	return true
}

// secondOrder are the optimizers with statistics or a P.
func secondOrder() map[string]Optimizer {
	all := everyOptimizerAndTrust()
	for name := range all {
		switch name {
		case "kfac", "ekfac", "shampoo", "shampoo grafted", "precond", "precond plain", "precond grad", "precond above", "precond trust":
		default:
			delete(all, name)
		}
	}
	return all
}

// TestSecondOrderStateIn16Bits walks through statistics, what is computed from them, P and
// momentum: each kind is of the format exactly where it is kept in 16 bits.
func TestSecondOrderStateIn16Bits(t *testing.T) {
	t.Parallel()
	all := []precision.Kind{precision.Momentum, precision.Factors, precision.Inverses, precision.Phi}
	for name, o := range secondOrder() {
		for _, f := range lowFormats {
			for _, in32 := range append([]precision.Kind{-1}, all...) {
				var settings []precision.Setting
				if in32 >= 0 {
					settings = append(settings, precision.InFloat32(in32))
				}
				tr := normedTrainer(t, o, EveryK(3), Precision(f, settings...))
				run(t, tr, 0, 7)
				outside := make(map[precision.Kind]bool)
				for _, a := range tr.engine.tensors() {
					k, ok := kindOfState(a)
					if !ok || k == precision.SecondMoments {
						continue
					}
					if low := isOf(f, a.Single()); low || k != in32 {
						if !low {
							t.Errorf("%s, %v, kind %d in float32: %s is not of the format", name, f, in32, a.Name)
						}
						continue
					}
					outside[k] = true
				}
				has := slices.ContainsFunc(tr.engine.tensors(), func(a NamedTensor) bool {
					k, ok := kindOfState(a)
					return ok && k == in32
				})
				if has && !outside[in32] {
					t.Errorf("%s, %v: kind %d is of the format, want float32", name, f, in32)
				}
			}
		}
	}
}
