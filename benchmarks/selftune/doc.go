// Package selftune compares methods without any tuning for a task, by the self-tuning rules
// of AlgoPerf (Dahl et al. 2023) in small.
//
// Every method has one configuration for all tasks: its authors' defaults, and another that
// is calibrated, the best of equally many for each method on tuning tasks whose data no
// other task has. Both train the held-out tasks with no setting touched, from initial
// learning rates that are 1, 1e-3 and 30 times the configuration's. A method whose authors
// have an estimate in the place of a rate starts once, and its runs count for each start.
//
// The target of a task is the median of the best values of NAdamW, whose rate is tuned on
// that very task, in two thirds of the steps that a run may have. The value is the error
// rate on the test set, the loss there, or where there is no test set the training loss. A
// workload is a task with a start. The time t_m,w of a method to the target is that of the
// first evaluation that reaches it, in steps or in seconds of training, the median over the
// seeds; seconds are scaled so that all runs of a method on a task and CPU take as long as its
// fastest seed's there from the usual start. With r_m,w = t_m,w/min_k t_k,w the performance profile (Dolan & Moré 2002) and its
// area, AlgoPerf's score, are
//
//	ρ_m(τ) = share of workloads with r_m,w ≤ τ
//	B_m = 1/(T-1) · ∫_1^T ρ_m(τ) dτ
//
// Pairs of methods are compared by the Wilcoxon signed-rank test over tasks and seeds. A
// task's time for a seed is the geometric mean over the starts, where a run that misses the
// target counts twice the longest (PAR2). p is exact and two-sided; Holm's correction is
// over all pairs that are compared.
//
//	selftune.go, options.go    the command
//	entries.go, jobs.go        methods, configurations, starts, and their jobs
//	stages.go, calibrate.go    the runs in their order, the calibrated configurations
//	kept.go                    the configurations of stored runs
//	results.go, target.go      stored runs, targets, times to them
//	pace.go                    seconds
//	profile.go                 performance profiles and areas
//	signedrank.go, pairs.go    tests and verdicts
//	report.go, markdown.go, draw.go, tables.go
//
// The area of a method that is the fastest on one of two workloads and reaches no target on
// the other:
//
//	area := selftune.Area([]float64{1, math.Inf(1)}, 4)
package selftune
