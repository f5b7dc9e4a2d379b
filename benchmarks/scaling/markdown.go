package scaling

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/pkg/errors"
)

// document collects Markdown.
type document struct{ b strings.Builder }

func (d *document) add(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n\n", args...) }

// table adds a table whose first row is the head.
func (d *document) table(rows [][]string) {
	for i, row := range rows {
		fmt.Fprintf(&d.b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			d.b.WriteString("|---" + strings.Repeat("|---:", len(row)-1) + "|\n")
		}
	}
	d.b.WriteString("\n")
}

// markdown is the report.
func (r *results) markdown(o *options) string {
	var d document
	day, _, _ := strings.Cut(r.Environment.Date, "T")
	d.add("# Training by several processes: measurements and predictions")
	d.add("Made by `go run ./benchmarks scaling`, not edited by hand. Machine: %s, %s; %s, BLAS %s; commit %s (%s). Rounds: %d.",
		r.Environment.Processor(), r.Environment.OS, r.Environment.Go, r.Environment.BLAS, r.Environment.Commit, day, r.Rounds)
	if r.Busy != "" {
		d.add("%s", strings.TrimSpace(r.Busy))
	}
	for _, f := range r.Failed {
		d.add("Not measured: %s", f)
	}
	if r.Shared != nil {
		d.add("## Sums of float32 between two processes (%s, shared memory)", r.Launcher)
		d.table(r.sumRows())
		d.add("Latency %s, of the smallest sum; bandwidth %.2f GB/s, fitted to those of 1 MiB to %s. A sum takes 2·latency + bytes/bandwidth.", timeText(r.Shared.Latency), r.Shared.Bandwidth/1e9, sizeText(largestFitted))
	}
	if rows := r.stepRows(o); len(rows) > 1 {
		d.add("## Steps that were measured")
		d.table(rows)
		d.add("Median and least time. Two processes have one core each; their ratio is that of medians to one process on all cores. Bytes are those of the arrays " +
			"that are summed up in a step, waiting is the time in which a process does nothing but wait for the other.")
	}
	d.add("## The model's constants")
	d.table(r.workRows())
	d.add("Times are on one core, means over a long run: KFAC's factors every 10 steps, its inverses every 100, meta-steps every 10 (APO, the rate of SGDm) or 20 (APO-Precond). " +
		"MB are summed up in a step on the larger batch. Divided is second-order work; where its results are not sent, all processes do it.")
	if rows := r.comparisonRows(); len(rows) > 1 {
		d.add("## Predictions and measurements")
		d.table(rows)
		d.add("Least times. Two processes share the machine's memory, which the model does not know.")
	}
	r.addPredictions(&d, o)
	return d.b.String()
}

// addPredictions adds a table for each network and growth, and the pictures.
func (r *results) addPredictions(d *document, o *options) {
	texts := map[string]string{
		"fixed":   "Speedups on a batch that stays as it is (512 images, 4096 tokens). With more processes than images some have none.",
		"growing": "Speedups on a batch that grows with the number of processes (128 images or 4096 tokens each).",
	}
	for i, network := range r.networks {
		if r.Shared != nil && i == 0 {
			continue
		}
		d.add("## Predictions for %s, latency %s", network.Name, timeText(network.Latency))
		for _, g := range growths {
			d.add("%s", texts[g.name])
			d.table(r.speedupRows(g, network))
		}
	}
	for _, n := range o.nets {
		d.add("![%s: predicted speedup](%s.svg)", n.label, pictureOf(n))
	}
}

func (r *results) sumRows() [][]string {
	rows := [][]string{{"size", "median", "least", "GB/s", "model"}}
	for _, s := range r.Sums {
		t := median(s.Seconds)
		rows = append(rows, []string{sizeText(s.Bytes), timeText(t), timeText(least(s.Seconds)), fmt.Sprintf("%.2f", float64(s.Bytes)/t/1e9),
			timeText(r.Shared.sum(2, float64(s.Bytes), 1))})
	}
	return rows
}

func (r *results) stepRows(o *options) [][]string {
	rows := [][]string{{"net, rule, batch", "all cores", "one core", "two processes", "ratio", "MB", "sums", "waiting"}}
	for _, n := range o.nets {
		for _, q := range o.compared {
			for _, batch := range n.batches {
				all, two := r.find(n.name, q.name, batch, allCores), r.find(n.name, q.name, batch, twoProcesses)
				row := []string{fmt.Sprintf("%s, %s, %d", n.label, q.label, batch), timesText(all), timesText(r.find(n.name, q.name, batch, oneCore)), timesText(two)}
				if all == nil {
					continue
				}
				if two == nil {
					rows = append(rows, append(row, "-", "-", "-", "-"))
					continue
				}
				sums, _ := two.exchanged()
				rows = append(rows, append(row, ratioText(two.mean(median, seconds), all.mean(median, seconds)), fmt.Sprintf("%.2f", sums.Bytes/1e6),
					fmt.Sprintf("%.0f", sums.Calls), timeText(two.waited())))
			}
		}
	}
	return rows
}

// timesText is the median and the least time of a trial.
func timesText(t *trial) string {
	if t == nil {
		return "-"
	}
	return timeText(t.mean(median, seconds)) + ", " + timeText(t.mean(least, seconds))
}

func ratioText(a, b float64) string { return fmt.Sprintf("%.2f", a/b) }

func (r *results) workRows() [][]string {
	rows := [][]string{{"net, rule", "parameters", "fixed", "an example", "divided", "largest layer", "MB summed up", "MB of results sent"}}
	for _, w := range r.Works {
		rows = append(rows, []string{w.net.label + ", " + w.rule.label, quantity(w.Parameters), timeText(w.Fixed), timeText(w.Each), timeText(w.Divided), timeText(w.Largest),
			fmt.Sprintf("%.2f", w.sums(math.MaxInt32).Bytes/1e6), fmt.Sprintf("%.2f", w.Shared.Bytes/1e6)})
	}
	return rows
}

func (r *results) comparisonRows() [][]string {
	rows := [][]string{{"net, rule, batch", "processes", "predicted", "measured", "measured/predicted"}}
	for _, x := range r.Comparisons {
		rows = append(rows, []string{fmt.Sprintf("%s, %s, %d", x.Net, x.Rule, x.Batch), strconv.Itoa(x.Processes), timeText(x.Predicted), timeText(x.Measured), ratioText(x.Measured, x.Predicted)})
	}
	return rows
}

func (r *results) speedupRows(g growth, network Network) [][]string {
	head := []string{"net, rule", "step by 1"}
	for _, n := range counts[1:] {
		head = append(head, strconv.Itoa(n))
	}
	rows := [][]string{head}
	for _, w := range r.Works {
		row := []string{w.net.label + ", " + w.rule.label, timeText(w.Predict(g.batch(w.net, 1), 1, network).Total())}
		for _, n := range counts[1:] {
			row = append(row, strconv.FormatFloat(w.speedup(g, n, network), 'g', 3, 64))
		}
		rows = append(rows, row)
	}
	return rows
}

// summary prints the measured steps and how far the model is off.
func (r *results) summary(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	if r.Shared != nil {
		fmt.Fprintf(t, "between two processes: latency %s, bandwidth %.3f GB/s\n\n", timeText(r.Shared.Latency), r.Shared.Bandwidth/1e9)
	}
	for _, row := range r.comparisonRows() {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return errors.Wrap(t.Flush(), "writing the report")
}

// quantity is a number with separated thousands.
func quantity(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
