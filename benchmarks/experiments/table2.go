package experiments

import (
	"fmt"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// table2Methods are the columns of Table 2, with both forms of APO-Precond.
var table2Methods = []string{"sgdm", "adam", "kfac", "precond", "precond-plain"}

// fifth is the schedule of Wide ResNets: the rate falls by 5 after the epochs 60, 120
// and 160 of 200.
var fifth = methods.Decay{Factor: 0.2, At: []float64{0.3, 0.6, 0.8}}

// paperEpochs is the number of epochs of image classification in Section 6.1.
const paperEpochs = 200

// table2 is a row of Table 2, with the paper's accuracies of SGDm, Adam, KFAC and
// APO-Precond.
func table2(s imageSet, net, title string, accuracies ...float64) *Experiment {
	e := images(s)
	e.Name, e.Group = fmt.Sprintf("table2-%s-%s", s.name, net), "table2"
	e.Figure, e.Title = "Table 2", title+" on "+s.title
	e.Methods = table2Methods
	e.Accuracies = make(map[string]float64)
	e.Paper = "no such row"
	if len(accuracies) == 4 {
		for i, m := range []string{"sgdm", "adam", "kfac", "precond", "precond-plain", "precond-above"} {
			e.Accuracies[m] = accuracies[min(i, 3)]
		}
		e.Paper = fmt.Sprintf("test accuracy after 200 epochs: SGDm %.2f%%, Adam %.2f%%, KFAC %.2f%%, APO-Precond %.2f%%",
			accuracies[0], accuracies[1], accuracies[2], accuracies[3])
	}
	e.Choices = imageChoices + "; the rates of all methods fall by 5 at 30%, 60% and 80% of a run; L2 penalty 5e-4 at the paper's scale"
	e.Plots = []Plot{LossBySteps, LossByTime, AccuracyBySteps}
	paper := paperImages(s, net, paperEpochs, fifth)
	paper.DecayAll = true
	e.Scales = map[Scale]Config{Paper: paper}
	e.Trials = map[Scale]Config{Paper: trialOf(paper, paper.Steps/10, 5000)}
	return e
}

// table2Trained is a row whose net the small scale trains for some epochs.
func table2Trained(s imageSet, net, title string, epochs int, accuracies ...float64) *Experiment {
	e := table2(s, net, title, accuracies...)
	small, smoke := smallImages(s, net, epochs, fifth), smokeImages(net, fifth)
	small.DecayAll, smoke.DecayAll = true, true
	e.Scales[Small], e.Scales[Smoke] = small, smoke
	e.Trials[Small], e.Trials[Smoke] = trialOf(small, trialSteps, 5000), trialOf(smoke, 8, 40)
	return e
}

// table2Timed is a row whose net the small scale only times, because it is too large.
func table2Timed(s imageSet, net, title string, steps int, accuracies ...float64) *Experiment {
	e := table2(s, net, title, accuracies...)
	e.Choices += timedChoices
	e.Scales[Small] = timedImages(s, net, steps)
	e.Timed = []Scale{Small}
	e.TunedAs = []string{"table2-cifar10-lenet"}
	return e
}

func table2Rows() []*Experiment {
	resnet8 := table2Trained(cifar10, "resnet8", "thin ResNet-8", 2)
	resnet8.TunedAs = []string{"table2-cifar10-lenet"}
	resnet18 := table2Timed(cifar10, "resnet18", "ResNet-18", 11, 93.69, 93.27, 94.60, 94.75)
	resnet18.SmallMethods = append([]string{"sgdm-apo", "sgdm-apo-calibrated"}, table2Methods...)
	return []*Experiment{
		table2Trained(cifar10, "lenet", "LeNet", smallEpochs, 75.73, 73.41, 76.63, 77.42),
		resnet8,
		table2Timed(cifar10, "alexnet", "AlexNet", 31, 76.27, 76.09, 78.33, 81.14),
		table2Timed(cifar10, "vgg16", "VGG16", 11, 91.82, 90.19, 92.05, 92.13),
		resnet18,
		table2Timed(cifar10, "resnet32-wide", "ResNet-32 (64/128/256)", 11, 94.40, 93.30, 94.49, 94.83),
		table2Timed(cifar100, "alexnet", "AlexNet", 31, 43.95, 41.82, 46.24, 52.35),
		table2Timed(cifar100, "vgg16", "VGG16", 11, 65.98, 60.61, 61.84, 67.95),
		table2Timed(cifar100, "resnet18", "ResNet-18", 11, 76.85, 70.87, 76.48, 76.88),
		table2Timed(cifar100, "resnet32-wide", "ResNet-32 (64/128/256)", 11, 77.47, 56.58, 75.70, 77.41),
		table2Timed(svhn, "resnet18", "ResNet-18", 11, 96.19, 95.59, 96.08, 96.89),
	}
}

const (
	smallEpochs = 4   // of LeNet at the small scale
	trialSteps  = 300 // of a search's trials there
)
