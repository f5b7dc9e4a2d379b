package experiments

import "fmt"

// costSteps is the length of a run that measures time. The first step does not count;
// in the hundred that follow KFAC's inverses and EKFAC's bases are computed once.
const costSteps = 101

const costChoices = "101 steps, the first not counted, so that work done every 10 or every 100 steps has its share; " +
	"a step of a method that learns ever more rarely is the mean of a run of 1000 steps, in which those with and without a meta-step " +
	"have their numbers; the methods in turn, seed by seed; every method with the defaults of its search space"

// costAutoencoder measures the time of a step of the paper's autoencoder.
var costAutoencoder = &Experiment{
	Name: "cost-autoencoder", Group: "cost", Timed: Scales,
	Figure: "Section 5", Title: "Time and memory of a step, autoencoder", Data: "MNIST, the first 10000 images",
	Paper:   "3/K extra forward and 1/K extra backward passes; APO-Precond takes less time than the second-order methods that invert",
	Choices: costChoices,
	Scales: map[Scale]Config{
		Smoke: {Widths: []int{784, 60, 30, 10}, Steps: 12, Batch: 100, Examples: 1000, Rows: 100, Dtype: "float32"},
		Small: {Widths: []int{784, 1000, 500, 250, 30}, Steps: costSteps, Batch: 1000, Examples: 10000, Rows: 1000, Dtype: "float32"},
		Paper: {Widths: []int{784, 1000, 500, 250, 30}, Steps: costSteps, Batch: 1000, Examples: 10000, Rows: 1000, Dtype: "float32"},
	},
	Methods: append([]string{"sgdm-apo", "adam-apo"}, preconditioners...),
	Task:    encodeMNIST,
}

// costMLP measures the time of a step of an MLP with a small batch.
var costMLP = &Experiment{
	Name: "cost-mlp", Group: "cost", Timed: Scales,
	Figure: "Section 5", Title: "Time and memory of a step, MLP", Data: "MNIST, the first 10000 images",
	Paper: costAutoencoder.Paper, Choices: costChoices,
	Scales: map[Scale]Config{
		Smoke: {Widths: []int{784, 50, 10}, Steps: 12, Batch: 100, Examples: 1000, Rows: 100, Dtype: "float32"},
		Small: {Widths: []int{784, 1000, 1000, 10}, Steps: costSteps, Batch: 128, Examples: 10000, Rows: 1000, Dtype: "float32"},
		Paper: {Widths: []int{784, 1000, 1000, 10}, Steps: costSteps, Batch: 128, Examples: 10000, Rows: 1000, Dtype: "float32"},
	},
	Methods: costAutoencoder.Methods,
	Task:    classifyMNIST,
}

// costImages measures the time of a step of a net for images. The smoke scale has the
// net smoke.
func costImages(net, smoke, title string, steps int, methods ...string) *Experiment {
	e := images(cifar10)
	e.Name, e.Group, e.Timed, e.Measure = "cost-"+net, "cost", Scales, TrainingLoss
	e.Figure, e.Title, e.Paper = costMLP.Figure, "Time and memory of a step, "+title, costMLP.Paper
	e.Choices = costChoices
	if steps < costSteps {
		e.Choices = fmt.Sprintf("%d steps, the first not counted; work done rarely has the share that it has in a long run; "+
			"the methods in turn, seed by seed; every method with the defaults of its search space", steps)
	}
	least := smokeImages(smoke, fifth)
	least.TestRows, least.Evaluations = -1, 1
	e.Scales = map[Scale]Config{Smoke: least, Small: timedImages(cifar10, net, steps), Paper: timedImages(cifar10, net, steps)}
	e.Methods = methods
	return e
}

var (
	costLeNet    = costImages("lenet", "lenet", "LeNet", costSteps, costAutoencoder.Methods...)
	costResNet18 = costImages("resnet18", "resnet8", "ResNet-18", 21, "sgdm", "adam", "kfac", "precond")
)
