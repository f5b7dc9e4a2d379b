package experiments

import "maps"

// fig5 returns the two halves of Figure 5. The first has the training loss with
// settings chosen by training loss; the second has test accuracy and learning rates
// with settings chosen by validation accuracy. The runs of the second are those of
// SGDm in Table 4.
func fig5() []*Experiment {
	half := func(name, chosen string, byLoss bool, plots ...Plot) *Experiment {
		e := images(cifar10)
		e.Name, e.Group, e.Figure = name, "fig5", "Figure 5"
		e.Title, e.Rates, e.ByLoss, e.Plots = "SGDm with a fixed rate, step decay and APO, "+chosen, true, byLoss, plots
		e.Methods = table4Methods("sgdm")
		e.Paper = "plots without numbers, of WRN-28-10: APO yields a higher test accuracy than the best fixed rate " +
			"and is competitive with the manual schedule"
		e.Choices = imageChoices + "; LeNet in place of WRN-28-10 at the smaller scales, with the settings of Table 4's search; " +
			"step decay by 5 at 30%, 60% and 80% of a run"
		wide, lenet := table4Timed(cifar10, "wrn-28-10", "", paperEpochs, fifth), table4Trained(cifar10, "lenet", "", smallEpochs)
		e.Scales = maps.Clone(lenet.Scales)
		e.Scales[Paper] = wide.Scales[Paper]
		e.Trials = maps.Clone(lenet.Trials)
		e.Trials[Paper] = wide.Trials[Paper]
		e.TunedAs = []string{wide.Name, lenet.Name}
		e.Shares = []string{wide.Name, lenet.Name}
		return e
	}
	return []*Experiment{
		half("fig5-loss", "chosen by training loss", true, LossBySteps),
		half("fig5-accuracy", "chosen by validation accuracy", false, AccuracyBySteps, RateBySteps),
	}
}
