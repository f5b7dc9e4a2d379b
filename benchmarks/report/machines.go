package report

import (
	"fmt"
	"regexp"
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

// merged has one machine for each processor, with all their commits. What its entries have
// in common stays in its name, with the numbers of cores that were used.
func (all machines) merged() (merged machines) {
	byCPU := make(map[string][]string)
	for _, m := range all {
		cpu, _, _ := strings.Cut(m.name, ", ")
		byCPU[cpu] = append(byCPU[cpu], m.name)
		merged.add(cpu, m.commits...)
	}
	for i := range merged {
		merged[i].name = common(byCPU[merged[i].name])
	}
	return merged
}

// cores is the number of cores in a machine's name.
var cores = regexp.MustCompile(`^\d+ cores?$`)

// common are the parts of the names that all have, and the numbers of cores.
func common(names []string) string {
	var parts []string
	for _, part := range strings.Split(names[0], ", ") {
		if cores.MatchString(part) {
			part = coresOf(names)
		} else if slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(strings.Split(name, ", "), part) }) {
			continue
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// coresOf are the numbers of cores in the names, each once, the smallest first.
func coresOf(names []string) string {
	var found []string
	for _, name := range names {
		for _, part := range strings.Split(name, ", ") {
			if cores.MatchString(part) && !slices.Contains(found, part) {
				found = append(found, part)
			}
		}
	}
	slices.Sort(found)
	return strings.Join(found, " or ")
}

// dayOf is the day of a commit in the line of a machine.
var dayOf = regexp.MustCompile(`\((\d{4}-\d\d-\d\d)\)`)

// short is a machine with the number of its commits and their days.
func (m machine) short() string {
	var days []string
	for _, c := range m.commits {
		if d := dayOf.FindStringSubmatch(c); d != nil {
			days = append(days, d[1])
		}
	}
	text := "Machine: " + m.name + "; "
	switch len(m.commits) {
	case 1:
		text += "commit " + m.commits[0]
	default:
		text += fmt.Sprintf("%d versions of this module", len(m.commits))
		if len(days) > 0 {
			text += ", of " + slices.Min(days)
			if last := slices.Max(days); last != slices.Min(days) {
				text += " to " + last
			}
			text += ", which the pages name"
		}
	}
	return text + "."
}
