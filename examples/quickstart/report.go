package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"text/tabwriter"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// report prints the table and writes the files that compare the methods.
func report(s settings, results []result, stdout io.Writer) error {
	if err := printTable(results, stdout); err != nil {
		return err
	}
	if err := writeEvaluations(filepath.Join(s.out, "evaluations.csv"), results); err != nil {
		return err
	}
	if err := writeSummary(filepath.Join(s.out, "summary.csv"), results); err != nil {
		return err
	}
	if err := drawCharts(s.out, results); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nlogs, tables and pictures in %s\n", s.out)
	return nil
}

func printTable(results []result, stdout io.Writer) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "\nmethod\ttraining loss\ttest accuracy\tseconds\tlearning rate")
	for _, r := range results {
		e := r.last()
		fmt.Fprintf(w, "%s\t%.6f\t%.2f%%\t%.2f\t%s\n", r.name, e.loss, 100*e.accuracy, r.seconds, r.rates())
	}
	return w.Flush()
}

// rates describes the learning rate at the start and at the end.
func (r result) rates() string {
	first := r.evaluations[0].rate
	switch {
	case !r.learns:
		return fmt.Sprintf("%.3g, fixed", first)
	case r.precond:
		return fmt.Sprintf("%.3g → %.3g (mean of P's diagonal)", first, r.last().rate)
	}
	return fmt.Sprintf("%.3g → %.3g", first, r.last().rate)
}

func writeEvaluations(path string, results []result) error {
	rows := [][]string{{"method", "step", "training_loss", "test_accuracy", "rate"}}
	for _, r := range results {
		for _, e := range r.evaluations {
			rows = append(rows, []string{r.name, strconv.Itoa(e.step), number(e.loss), number(e.accuracy), number(e.rate)})
		}
	}
	return writeCSV(path, rows)
}

func writeSummary(path string, results []result) error {
	rows := [][]string{{"method", "steps", "training_loss", "test_accuracy", "seconds", "initial_rate", "final_rate"}}
	for _, r := range results {
		e := r.last()
		rows = append(rows, []string{r.name, strconv.Itoa(e.step), number(e.loss), number(e.accuracy), number(r.seconds), number(r.evaluations[0].rate), number(e.rate)})
	}
	return writeCSV(path, rows)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 8, 64) }

func writeCSV(path string, rows [][]string) error {
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
		return err
	}
	return durable.WriteFile(path, text.Bytes())
}
