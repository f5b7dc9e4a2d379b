package record

import (
	"bytes"
	"encoding/csv"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// CSV is a Recorder that writes a table with one row per step.
//
// The columns are step, loss, rate_0 … rate_n-1 with n the number of rates in
// the first record, hyper_weight_decay and so on for the hyperparameters that it
// has, q, q_loss, fsd, wsd, lambda_fsd, lambda_wsd, epsilon, meta_grad_norm,
// meta_skipped, norm_A, norm_B, norm_S, energy, condition, trace, discrepancy,
// base_seconds and meta_seconds. loss_scale is there where the first record has a
// LossScale, step_skipped where it has that or SkipsNonFinite. The columns q to
// meta_skipped are empty on steps without
// meta-step; see JSONL for how the terms add up to q. The norms are those of the
// whole preconditioner, the root of the sum of the squares over its blocks, and
// empty without Precond. So are energy to discrepancy without PrecondMeasures: energy,
// that of both sides, and discrepancy are means over the blocks, condition is the
// largest, trace the sum. Floats have all their digits, or are NaN, +Inf, -Inf.
type CSV struct {
	out   lineWriter
	rates int      // number of rate columns; -1 before the first record
	hyper []string // the hyperparameters with a column
	// columns are the places in csvHeader of the table's columns; nil before the first record.
	columns []int
}

// NewCSV makes a CSV that writes to w, one call of w.Write per step. If w is an
// *os.File opened for appending, and the file has the table's header already, no
// second header is written. OpenCSV also cuts off the rows that a resumed run
// writes again.
func NewCSV(w io.Writer) *CSV { return &CSV{out: lineWriter{w: w}, rates: -1} }

// Record writes a row, and the header before the first one. It fails, and writes
// nothing, if the rates or hyperparameters are not those of the header or if the file has a
// table with other columns. The error of w names the
// step; from then on every Record returns it.
func (c *CSV) Record(s Stats) error {
	var rows [][]string
	if c.rates < 0 {
		hyper := slices.Sorted(maps.Keys(s.Hyperparameters))
		header, there := csvHeader(len(s.Rates), hyper...), headerOf(c.out.w)
		if there == nil {
			c.columns = placesIn(header, columnsOf(s, header))
			rows = append(rows, c.pick(header))
		} else if c.columns = placesIn(header, there); c.columns == nil {
			return errors.Errorf("trainers: record step %d: the table that goes on has other columns (%s): this run needs a file of its own", s.Step, strings.Join(there, ","))
		}
		c.rates, c.hyper = len(s.Rates), hyper
	}
	if len(s.Rates) != c.rates {
		return errors.Errorf("trainers: record step %d: %d rates in a table with %d", s.Step, len(s.Rates), c.rates)
	}
	if hyper := slices.Sorted(maps.Keys(s.Hyperparameters)); !slices.Equal(hyper, c.hyper) {
		return errors.Errorf("trainers: record step %d: the hyperparameters %v in a table with %v", s.Step, hyper, c.hyper)
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(append(rows, c.pick(csvRow(s)))); err != nil {
		return errors.Wrapf(err, "trainers: record step %d", s.Step)
	}
	return c.out.write(s.Step, text.Bytes())
}

// pick has the cells of the table's columns.
func (c *CSV) pick(row []string) []string {
	cells := make([]string, len(c.columns))
	for i, k := range c.columns {
		cells[i] = row[k]
	}
	return cells
}

// columnsOf are the columns of a header that a table has whose first record is s.
func columnsOf(s Stats, header []string) []string {
	return slices.DeleteFunc(slices.Clone(header), func(name string) bool {
		return name == scaleColumn && s.LossScale == 0 || name == skippedColumn && !s.maySkip()
	})
}

// placesIn finds the columns of a table in a header. A table of an older version has
// fewer columns. The result is nil for a table of another kind of run.
func placesIn(header, table []string) []int {
	places := make([]int, len(table))
	for i, name := range table {
		if places[i] = slices.Index(header, name); places[i] < 0 {
			return nil
		}
	}
	for _, name := range header {
		if (strings.HasPrefix(name, "rate_") || strings.HasPrefix(name, hyperPrefix)) && !slices.Contains(table, name) {
			return nil
		}
	}
	return places
}

// Flush flushes the writer if it buffers, that is if it has a method
// Flush() error.
func (c *CSV) Flush() error { return c.out.flush() }

// Close flushes the writer, then closes it if it is an io.Closer.
func (c *CSV) Close() error { return c.out.close() }

const (
	// hyperPrefix begins the names of columns of hyperparameters.
	hyperPrefix = "hyper_"
	// These columns are not in every table: see columnsOf.
	scaleColumn   = "loss_scale"
	skippedColumn = "step_skipped"
)

// csvHeader names the columns.
func csvHeader(rates int, hyper ...string) []string {
	header := []string{"step", "loss"}
	for i := range rates {
		header = append(header, "rate_"+strconv.Itoa(i))
	}
	for _, name := range hyper {
		header = append(header, hyperPrefix+name)
	}
	return append(header,
		"q", "q_loss", "fsd", "wsd", "lambda_fsd", "lambda_wsd", "epsilon", "meta_grad_norm", "meta_skipped",
		"norm_A", "norm_B", "norm_S", "energy", "condition", "trace", "discrepancy", "base_seconds", "meta_seconds", scaleColumn, skippedColumn)
}

// csvRow has the cells in the order of csvHeader.
func csvRow(s Stats) []string {
	row := []string{strconv.Itoa(s.Step), formatFloat(s.Loss)}
	for _, r := range s.Rates {
		row = append(row, formatFloat(r))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Hyperparameters)) {
		row = append(row, formatFloat(s.Hyperparameters[name]))
	}
	if m := s.Meta; m != nil {
		row = append(row, formatFloat(m.Q), formatFloat(m.Loss), formatFloat(m.FSD), formatFloat(m.WSD),
			formatFloat(m.LambdaFSD), formatFloat(m.LambdaWSD), formatFloat(m.part()), formatFloat(m.GradNorm), strconv.FormatBool(m.Skipped))
	} else {
		row = append(row, "", "", "", "", "", "", "", "", "")
	}
	if len(s.Precond) > 0 {
		var a, b, d float64 // Σ‖·‖² of A, B and S
		for _, p := range s.Precond {
			a += p.A * p.A
			b += p.B * p.B
			d += p.S * p.S
		}
		row = append(row, formatFloat(math.Sqrt(a)), formatFloat(math.Sqrt(b)), formatFloat(math.Sqrt(d)))
	} else {
		row = append(row, "", "", "")
	}
	row = append(row, csvMeasures(s.Precond)...)
	row = append(row, formatFloat(s.BaseTime.Seconds()), formatFloat(s.MetaTime.Seconds()))
	scale, skipped := "", ""
	if s.LossScale != 0 {
		scale = formatFloat(s.LossScale)
	}
	if s.maySkip() {
		skipped = strconv.FormatBool(s.StepSkipped)
	}
	return append(row, scale, skipped)
}

// csvMeasures has the cells energy to discrepancy.
func csvMeasures(blocks []PrecondNorms) []string {
	var n, energy, condition, trace, discrepancy float64
	for _, p := range blocks {
		if m := p.Measures; m != nil {
			n++
			energy += (m.EnergyA + m.EnergyB) / 2
			condition = max(condition, m.Condition)
			trace += m.Trace
			discrepancy += m.Discrepancy
		}
	}
	if n == 0 {
		return []string{"", "", "", ""}
	}
	return []string{formatFloat(energy / n), formatFloat(condition), formatFloat(trace), formatFloat(discrepancy / n)}
}
