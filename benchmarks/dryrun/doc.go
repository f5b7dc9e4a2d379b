// Package dryrun takes a few steps of a training and says what the whole of it will cost.
//
//	cost, err := dryrun.Measure(ctx, newTrainer, batches.At, dryrun.Least)
//	total := cost.Total(steps, steps/cost.K)
//
// Evaluations, the loading of data and the building of the graphs are not in the estimate.
package dryrun
