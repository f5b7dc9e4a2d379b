package experiments

import (
	"fmt"
	"strconv"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// table3Methods are the columns of Table 3, with Adam and all forms of APO-Precond beside
// them.
var table3Methods = []string{"sgdm", "adam", "kfac", "precond", "precond-plain"}

// precisions are full precision, whose name is empty, and the formats of 16 bits.
var precisions = []string{"", apoops.BFloat16.String(), apoops.Float16.String()}

// inPrecisions runs methods with the same settings in all precisions, weights rounded to the
// nearest, and in bfloat16 with weights rounded at random too, its default: it has so few bits
// that small steps are lost to the nearest number.
func inPrecisions(names ...string) map[string][]Variant {
	all := make(map[string][]Variant)
	for _, name := range names {
		for _, p := range precisions {
			all[name] = append(all[name], Variant{Name: p, Factor: 1, Precision: p})
		}
		b := apoops.BFloat16.String()
		all[name] = append(all[name], Variant{Name: b + "-stochastic", Factor: 1, Precision: b, Stochastic: true})
	}
	return all
}

// dampings are those of KFAC in table3-damping.
var dampings = []float64{1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1}

// inDampings runs KFAC with each damping in all precisions.
func inDampings() (all []Variant) {
	for _, p := range precisions {
		for _, d := range dampings {
			name := "damping-" + strconv.FormatFloat(d, 'f', -1, 64)
			if p != "" {
				name = p + "-" + name
			}
			all = append(all, Variant{Name: name, Factor: 1, Precision: p, Values: methods.Values{"damping": d}})
		}
	}
	return all
}

const table3Choices = "; the settings that a search in float32 found for LeNet, in every precision; float16 with a dynamic loss scale, bfloat16 without; " +
	"what is kept in 16 bits and what in float32 are the defaults of package precision; weights are rounded to the nearest but in bfloat16-stochastic"

// table3 are the nets of Table 3 and the sweep of KFAC's damping.
func table3() []*Experiment {
	lenet := inTable3(cifar10, "lenet", table2Trained(cifar10, "lenet", "LeNet", smallEpochs))
	lenet.Shares = []string{"table2-cifar10-lenet"}
	resnet18 := inTable3(cifar10, "resnet18", table2Timed(cifar10, "resnet18", "ResNet-18", 11))
	smoke := smokeImages("resnet8", fifth)
	smoke.DecayAll = true
	resnet18.Scales[Smoke], resnet18.Trials[Smoke] = smoke, trialOf(smoke, 8, 40)
	resnet18of100 := inTable3(cifar100, "resnet18", table2Timed(cifar100, "resnet18", "ResNet-18", 11))
	return []*Experiment{lenet, resnet18, resnet18of100, table3Damping()}
}

// inTable3 makes a row of Table 2 one of Table 3, with its methods in all precisions.
func inTable3(s imageSet, net string, e *Experiment) *Experiment {
	e.Name, e.Group, e.Figure = fmt.Sprintf("table3-%s-%s", s.name, net), "table3", "Table 3"
	e.Title += " in 16 bits"
	e.Paper = "trained in 16 bits, KFAC needs a large damping; APO-Precond is stable with its settings of full precision"
	e.Choices += table3Choices
	e.Accuracies, e.Plots = nil, []Plot{AccuracyBySteps}
	e.Methods, e.SmallMethods, e.Variants = table3Methods, nil, inPrecisions(table3Methods...)
	e.TunedAs = []string{"table2-cifar10-lenet"}
	return e
}

// table3Damping trains LeNet by KFAC with each damping.
func table3Damping() *Experiment {
	e := inTable3(cifar10, "lenet", table2Trained(cifar10, "lenet", "LeNet", smallEpochs))
	e.Name, e.Title, e.Sweep = "table3-damping", "KFAC's damping in 16 bits, LeNet on CIFAR-10", "damping"
	e.Methods, e.Variants = []string{"kfac"}, map[string][]Variant{"kfac": inDampings()}
	e.Choices += "; all other settings of KFAC as they were found with its own damping"
	return e
}
