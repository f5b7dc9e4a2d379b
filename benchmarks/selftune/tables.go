package selftune

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
)

// csvOf is a table with its head.
func csvOf(rows [][]string) ([]byte, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	err := w.WriteAll(rows)
	return text.Bytes(), err
}

// number is a number, empty for one that is not finite.
func number(x float64) string {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// areasCSV has the area of each entry by each clock.
func areasCSV(all []comparison) ([]byte, error) {
	rows := [][]string{{"clock", "method", "configuration", "area", "targets_reached", "workloads"}}
	for _, c := range all {
		for _, s := range c.ranked() {
			rows = append(rows, []string{c.name, s.Name, s.config, number(s.area), strconv.Itoa(s.reached), strconv.Itoa(len(s.ratios))})
		}
	}
	return csvOf(rows)
}

// pairsCSV has all tests.
func pairsCSV(all []comparison) ([]byte, error) {
	rows := [][]string{{"clock", "method", "configuration", "against", "its_configuration", "times_factor", "differences", "of", "p", "p_holm", "verdict"}}
	for _, c := range all {
		for _, p := range c.pairs {
			rows = append(rows, []string{
				c.name, p.a.Name, p.a.config, p.b.Name, p.b.config, number(p.factor), strconv.Itoa(p.n), strconv.Itoa(p.of), number(p.p), number(p.holm), string(p.verdict),
			})
		}
	}
	return csvOf(rows)
}

// timesCSV has the time of each run to the target: empty where it is not reached.
func (r *results) timesCSV() ([]byte, error) {
	rows := [][]string{{"task", "method", "configuration", "start", "seed", "target", "steps", "seconds", "best_value", "diverged_at"}}
	for _, t := range r.tasks {
		for _, e := range r.entries {
			for _, at := range r.o.starts {
				for _, seed := range t.seeds {
					run := t.run(e, at, seed)
					c, diverged := timeTo(t.Measure, run, t.target), ""
					if d := run.Done.DivergedAt; d != nil {
						diverged = strconv.Itoa(*d)
					}
					rows = append(rows, []string{
						t.Name, e.Name, e.config, at.name, strconv.FormatUint(seed, 10), number(t.target), number(c.steps), number(c.seconds),
						number(bestValue(t.Measure, run)), diverged,
					})
				}
			}
		}
	}
	return csvOf(rows)
}
