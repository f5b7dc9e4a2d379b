package experiments

// resnet18Start compares the first steps of a net that is too large to be trained at the
// small scale.
var resnet18Start = func() *Experiment {
	e := images(cifar10)
	e.Name, e.Figure, e.Title, e.Measure = "resnet18-start", NotInThePaper, "The first 50 steps of ResNet-18 on CIFAR-10", TrainingLoss
	e.Paper = notThePapers
	e.Choices = "batches of 128; random crops after padding by 4 and mirroring; constant rates, those of LeNet's search; training loss on the first 500 images"
	first := timedImages(cifar10, "resnet18", 50)
	first.Rows, first.Evaluations = 500, 5
	smoke := smokeImages("resnet8", fifth)
	smoke.TestRows = -1
	e.Scales = map[Scale]Config{Smoke: smoke, Small: first, Paper: first}
	e.TunedAs = []string{"table2-cifar10-resnet8", "table2-cifar10-lenet"}
	e.Methods = []string{"sgdm", "adam", "kfac", "precond"}
	return e
}()
