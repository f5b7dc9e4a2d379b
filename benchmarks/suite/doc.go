// Package suite runs the experiments: it plans runs, makes each in a process of
// its own, stores what they give and searches for hyperparameters.
//
// A run is an experiment at a scale, a method with its hyperparameters and a
// seed. Its file is DIR/EXPERIMENT/SCALE/METHOD-seedN.jsonl: a Header, then an
// Evaluation a line, then Done. While it is not done, a checkpoint may lie
// beside it, from which the run goes on; the numbers are those of a run never
// stopped. Seconds are the time spent in training steps: evaluation, loading of
// data and checkpoints are not counted. A run that diverges is a result.
//
//	run, err := suite.ReadRun("results/fig3-parkinsons/small/adam-seed1.jsonl")
//	fmt.Println(run.FinalLoss(), run.Done.SecondsPerStep)
package suite
