// Package report makes tables, figures and verdicts on claims of stored results.
//
// Each claim of the paper on the experiments here has an entry with a function
// that decides it from the runs: it holds, does not hold, or was not run.
// Comparisons are of medians over the seeds.
//
//	code := report.Command(ctx, []string{"results"}, os.Stdout, os.Stderr)
package report
