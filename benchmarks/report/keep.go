package report

import (
	"os"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// earlier is an earlier report. Its sections are kept for experiments that have no
// results now.
type earlier struct {
	machines []string                      // the lines about machines
	rows     map[string][][]string         // of the tables of claims, by title and heading
	sections []struct{ name, text string } // in the order of the file
}

// readEarlier parses a report; an empty path means none.
func readEarlier(path string) (*earlier, error) {
	old := &earlier{rows: make(map[string][][]string)}
	if path == "" {
		return old, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.WithStack(err)
	}
	for i, part := range strings.Split("\n"+string(text), "\n## ") {
		title, body, _ := strings.Cut(part, "\n")
		switch {
		case i == 0:
			old.machines = linesWith(part, "Machine: ")
		case title == claimsTitle || title == goalsTitle:
			for _, line := range linesWith(body, "| ") {
				cells := strings.Split(strings.Trim(line, "| "), " | ")
				old.rows[title+cells[0]] = append(old.rows[title+cells[0]], cells)
			}
		default:
			if name, _, ok := strings.Cut(title, ", "); ok {
				if _, err := experiments.Get(name); err == nil {
					old.sections = append(old.sections, struct{ name, text string }{title, "## " + strings.TrimSpace(part)})
				}
			}
		}
	}
	if len(old.sections) == 0 {
		return nil, errors.Errorf("%s has no sections of experiments: it is no report", path)
	}
	return old, nil
}

func linesWith(text, start string) (lines []string) {
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, start) {
			lines = append(lines, line)
		}
	}
	return lines
}

// without removes the sections that have results now.
func (old *earlier) without(sections []*section) {
	kept := old.sections[:0]
	for _, o := range old.sections {
		if !named(sections, o.name) {
			kept = append(kept, o)
		}
	}
	old.sections = kept
	if len(kept) == 0 {
		old.machines = nil
	}
}

func named(sections []*section, name string) bool {
	for _, s := range sections {
		if s.heading() == name {
			return true
		}
	}
	return false
}

// heading is the title of the section and the first cell of its claims.
func (s *section) heading() string { return s.e.Name + ", " + string(s.scale) }

// rowsOf returns the rows of an experiment, at all scales, in the table of claims
// with a title.
func (old *earlier) rowsOf(title string, e *experiments.Experiment) (rows [][]string) {
	for _, o := range old.sections {
		if strings.HasPrefix(o.name, e.Name+", ") {
			rows = append(rows, old.rows[title+o.name]...)
		}
	}
	return rows
}
