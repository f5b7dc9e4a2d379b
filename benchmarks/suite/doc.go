// Package suite runs the experiments. It plans runs, makes each in a process of its
// own, stores the results, and searches for hyperparameters.
//
// A run is an experiment at a scale with a method, its hyperparameters and a seed. Its
// file is DIR/EXPERIMENT/SCALE/METHOD-seedN.jsonl: a Header, then a line for each
// Evaluation, then Done. Until the run is finished, a checkpoint may lie beside the
// file; a resumed run has the numbers of one that was never interrupted. Seconds count
// training steps only, not evaluation or loading. A run that diverges is a result.
//
//	run.go, tune.go, list.go    the commands
//	plan.go, job.go             which runs there are, and their settings
//	runner.go, process.go       running jobs in processes of their own
//	worker.go, training.go      one run
//	record.go, store.go         the file of a run
//	condense.go, stored.go      a run as it stays in the repository
//	storecommand.go             storing such runs
//	search.go, winners.go       searches and their results
//	batch.go                    running jobs that another command plans
//
// The command store condenses finished runs into DIR/EXPERIMENT/SCALE/METHOD-seedN.json,
// one object of some kilobytes: version, header, environment (that of the program that
// made the run, if it is known), curve (a column for each number of the evaluations, see
// Run.Condensed) and done.
//
// The results can be read without the report:
//
//	run, err := suite.ReadRun("results/fig3-parkinsons/small/adam-seed1.jsonl")
//	fmt.Println(run.FinalLoss(), run.Done.SecondsPerStep)
package suite
