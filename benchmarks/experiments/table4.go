package experiments

import (
	"fmt"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// table4Families are the rows of Table 4, table4Ways its columns.
var (
	table4Families = []string{"sgd", "sgdm", "rmsprop", "adam"}
	table4Ways     = []string{"", "-decay", "-apo", "-apo-calibrated"}
)

func table4Methods(families ...string) (names []string) {
	for _, f := range families {
		for _, way := range table4Ways {
			names = append(names, f+way)
		}
	}
	return names
}

// tenth is the schedule of ResNet-32: the rate falls by 10 after the epochs 150 and
// 250 of 400.
var tenth = methods.Decay{Factor: 0.1, At: []float64{3. / 8, 5. / 8}}

// table4 is a group of three columns of Table 4: fixed rate, step decay and APO.
// accuracies are the paper's, a row for each optimizer.
func table4(s imageSet, net, title string, epochs int, d methods.Decay, accuracies ...[3]float64) *Experiment {
	e := images(s)
	e.Name, e.Group = fmt.Sprintf("table4-%s-%s", s.name, net), "table4"
	e.Figure, e.Title = "Table 4", title+" on "+s.title
	e.Methods = table4Methods(table4Families...)
	e.Rates = true
	e.Accuracies = make(map[string]float64)
	e.Paper = "no such columns"
	for i, row := range accuracies {
		e.Paper = fmt.Sprintf("test accuracies after %d epochs, means of four runs: APO beats the best fixed rates, and is often competitive with manual schedules", epochs)
		for j, way := range table4Ways {
			e.Accuracies[table4Families[i]+way] = row[min(j, 2)]
		}
	}
	e.Choices = imageChoices + fmt.Sprintf("; step decay by %g at %.3g of a run; APO starts at the best fixed rate; L2 penalty 5e-4 at the paper's scale", 1/d.Factor, d.At)
	e.Plots = []Plot{AccuracyBySteps, RateBySteps}
	e.Scales = map[Scale]Config{Paper: paperImages(s, net, epochs, d)}
	e.Trials = map[Scale]Config{Paper: trialOf(e.Scales[Paper], e.Scales[Paper].Steps/10, 5000)}
	return e
}

// table4Trained are columns whose net the small scale trains for some epochs.
func table4Trained(s imageSet, net, title string, epochs int) *Experiment {
	e := table4(s, net, title, paperEpochs, fifth)
	e.Scales[Small], e.Scales[Smoke] = smallImages(s, net, epochs, fifth), smokeImages(net, fifth)
	e.Trials[Small], e.Trials[Smoke] = trialOf(e.Scales[Small], trialSteps, 5000), trialOf(e.Scales[Smoke], 8, 40)
	return e
}

// table4Timed are columns whose net the small scale only times, because it is too
// large.
func table4Timed(s imageSet, net, title string, epochs int, d methods.Decay, accuracies ...[3]float64) *Experiment {
	e := table4(s, net, title, epochs, d, accuracies...)
	e.Choices += timedChoices
	e.Scales[Small] = timedImages(s, net, 11)
	e.Timed, e.SmallMethods = []Scale{Small}, []string{"sgdm", "sgdm-apo"}
	e.TunedAs = []string{"table4-cifar10-lenet"}
	return e
}

func table4Columns() []*Experiment {
	resnet8 := table4Trained(cifar10, "resnet8", "thin ResNet-8", 1)
	resnet8.TunedAs, resnet8.SmallMethods = []string{"table4-cifar10-lenet"}, table4Methods("sgdm", "adam")
	resnet32 := table4Timed(cifar10, "resnet32", "ResNet-32", 400, tenth,
		[3]float64{90.07, 93.30, 92.71}, [3]float64{89.40, 93.34, 92.75}, [3]float64{89.84, 91.94, 91.28}, [3]float64{90.45, 92.26, 91.81})
	resnet32.SmallMethods = []string{"sgd", "sgd-apo", "sgdm", "sgdm-apo", "sgdm-apo-calibrated", "rmsprop", "rmsprop-apo", "adam", "adam-apo"}
	return []*Experiment{
		table4Trained(cifar10, "lenet", "LeNet", smallEpochs),
		resnet8,
		resnet32,
		table4Timed(cifar10, "resnet34", "ResNet-34", paperEpochs, fifth,
			[3]float64{93.00, 93.54, 94.27}, [3]float64{92.99, 95.08, 94.47}, [3]float64{92.87, 93.87, 93.97}, [3]float64{93.23, 94.12, 93.80}),
		table4Timed(cifar10, "wrn-28-10", "WRN-28-10", paperEpochs, fifth,
			[3]float64{93.38, 94.86, 94.85}, [3]float64{93.46, 95.98, 95.50}, [3]float64{92.91, 93.60, 94.22}, [3]float64{92.81, 94.04, 93.83}),
		table4Timed(cifar100, "wrn-28-10", "WRN-28-10", paperEpochs, fifth,
			[3]float64{76.29, 77.92, 76.87}, [3]float64{74.81, 81.01, 79.33}, [3]float64{72.06, 76.06, 74.17}, [3]float64{72.01, 75.53, 76.33}),
	}
}
