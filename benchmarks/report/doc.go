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
// A report is a first page and a page for each experiment, with a part for each scale. A
// part without results now stays as it is: the files of its runs may be lost. The first
// page is made from the other pages alone, so that old parts and new ones count alike.
//
//	opening.go      the first page, and the page of all claims
//	openingresults.go its tables of results, of costs and of the paper's numbers
//	openingclaims.go its table of the paper's claims
//	page.go         the pages of the experiments
//	rows.go         the tables of claims on pages
//	markdowntable.go reading tables of Markdown
//	split.go        pages from a report in a single file
//
// The other parts of a report:
//
//	load.go         reading folders of results
//	stats.go        medians, final losses, times to a loss
//	table.go        tables of losses, times and hyperparameters
//	times.go        losses at equal seconds, times to equal losses
//	accuracy.go     tables of test accuracies, extrapolated times
//	precision.go    the table of methods in several precisions
//	sweep.go        accuracies and failures against a hyperparameter
//	figures.go      curves over steps and time
//	markdown.go     a part of a page
//	html.go         the page of curves for a browser, whose parts are in interactive
//	machines.go     where results were made
//
// A program makes a report as the command does:
//
//	code := report.Command(ctx, []string{"results"}, os.Stdout, os.Stderr)
package report
