package report

import (
	"os"
	"path"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// split moves the sections of a report that is a single file, as earlier versions of this
// module wrote it, to pages that do not have them: each section unchanged but for the
// paths of its figures, its claims, and the machines.
func (all pages) split(file, figures string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return errors.WithStack(err)
	}
	claims := make(map[string][]row) // by title and heading
	var machines, found []string
	sections := strings.Split("\n"+string(text), partStart)
	for i, text := range sections {
		title, body, _ := strings.Cut(text, "\n")
		switch {
		case i == 0:
			machines = linesWith(text, "Machine: ")
		case title == claimsTitle || title == goalsTitle:
			for _, t := range tablesOf(body) {
				for _, cells := range t.rows {
					key := title + cell(cells, 0)
					claims[key] = append(claims[key], row{cell(cells, 0), cell(cells, 1), verdict(strings.Trim(cell(cells, 2), "*")), cell(cells, 3)})
				}
			}
		}
	}
	for _, text := range sections[1:] {
		heading, body, _ := strings.Cut(text, "\n")
		name, _, _ := strings.Cut(heading, ", ")
		e, err := experiments.Get(name)
		if err != nil {
			continue
		}
		if _, ok := scaleOf(e, heading); !ok {
			continue
		}
		found = append(found, heading)
		p := all.of(e)
		if p.part(heading) != nil {
			continue
		}
		var d document
		for _, line := range machines {
			d.add("%s", line)
		}
		d.add("%s", strings.TrimSpace(moved(body, figures)))
		d.addClaims(claimsTitle, claims[claimsTitle+heading])
		d.addClaims(goalsTitle, claims[goalsTitle+heading])
		p.put(heading, d.b.String())
	}
	if len(found) == 0 {
		return errors.Errorf("%s has no sections of experiments: it is no report in a single file", file)
	}
	return nil
}

// moved replaces the folder of a text's figures.
func moved(text, figures string) string {
	parts := strings.Split(text, "](")
	for i, p := range parts[1:] {
		link, rest, ok := strings.Cut(p, ")")
		if ok && strings.HasSuffix(link, ".png") {
			parts[i+1] = figures + "/" + path.Base(link) + ")" + rest
		}
	}
	return strings.Join(parts, "](")
}

func linesWith(text, start string) (lines []string) {
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, start) {
			lines = append(lines, line)
		}
	}
	return lines
}
