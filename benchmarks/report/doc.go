// Package report makes tables, figures and verdicts on claims from stored results.
//
// Each claim of the paper about the experiments, and each goal of this project, has an
// entry with a function that decides it from the runs: it holds, it does not hold, or
// it was not run. Comparisons use medians over the seeds. These files have the claims
// and how they are decided:
//
//	claims.go       a claim, and the comparisons that decide it
//	paperclaims.go  the claims of Sections 6.1 and 6.2 about Figures 3 and 4
//	imageclaims.go  the claims about Tables 2 and 4 and Figure 5, and goals for them
//	goals.go        the goals for Figures 3 and 4, the MLP and the cost of a step
//	precondgoals.go the goals for the recommended form of APO-Precond alone
//	precisionclaims.go the claims and goals about training in 16 bits (Table 3)
//	computed.go     the claims that computed results decide (Figure 1); the claims
//	                themselves are those of the experiment's Computation
//
// The other parts of a report:
//
//	load.go         reading the results folder
//	stats.go        medians, final losses, times to a loss
//	table.go        tables of losses, times and hyperparameters
//	times.go        losses at equal seconds, times to equal losses
//	accuracy.go     tables of test accuracies, Tables 2 and 4, extrapolated times
//	precision.go    the table of methods in several precisions
//	sweep.go        accuracies and failures against a hyperparameter
//	figures.go      curves over steps and time
//	markdown.go     the document
//	keep.go         sections kept from an earlier report
//
// A program makes a report as the command does:
//
//	code := report.Command(ctx, []string{"results"}, os.Stdout, os.Stderr)
package report
