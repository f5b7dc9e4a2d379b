package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// machine is where results come from, and the commits that made them there, each with
// its day.
type machine struct {
	name    string
	commits []string
}

// machines is a list of them, in the order of the first results.
type machines []machine

// add enters commits, each once.
func (all *machines) add(name string, commits ...string) {
	i := slices.IndexFunc(*all, func(m machine) bool { return m.name == name })
	if i < 0 {
		i = len(*all)
		*all = append(*all, machine{name: name})
	}
	m := &(*all)[i]
	for _, c := range commits {
		if !slices.Contains(m.commits, c) {
			m.commits = append(m.commits, c)
		}
	}
}

func (all *machines) addEnvironment(e suite.Environment) {
	day, _, _ := strings.Cut(e.Date, "T")
	all.add(fmt.Sprintf("%s, %.0f GB of memory, %s; %s, BLAS %s", e.Processor(),
		float64(e.MemoryBytes)/(1<<30), e.OS, e.Go, e.BLAS), e.Commit+" ("+day+")")
}

const commitsOf = "; commits "

// line is the machine in a report.
func (m machine) line() string {
	return "Machine: " + m.name + commitsOf + strings.Join(m.commits, ", ") + "."
}

// addLine enters the machine of a line of an earlier report.
func (all *machines) addLine(line string) {
	line = strings.TrimSuffix(strings.TrimPrefix(line, "Machine: "), ".")
	name, commits, _ := strings.Cut(line, commitsOf)
	all.add(name, strings.Split(commits, ", ")...)
}

// machines are where the section's runs were made.
func (s *section) machines() (all machines) {
	for _, r := range s.series {
		for _, run := range r.runs {
			if run.Environment != nil {
				all.addEnvironment(*run.Environment)
			}
		}
	}
	return all
}

// machines are those of a part of a page.
func (q part) machines() (all machines) {
	for _, line := range linesWith(q.text, "Machine: ") {
		all.addLine(line)
	}
	return all
}
