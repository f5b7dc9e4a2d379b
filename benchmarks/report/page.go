package report

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// page is the page of an experiment. It has a part for each scale that was run. A part
// for which there are no results now stays as it is: it may be all that is left of runs
// whose files are lost.
type page struct {
	e       *experiments.Experiment
	head    string // what is above the first part
	parts   []part
	changed bool
}

// part is the part of a page about a scale.
type part struct {
	heading string // section.heading
	text    string // what follows the heading
}

// partStart begins the heading of a part.
const partStart = "\n## "

// pages are those of all experiments, in the order of experiments.All.
type pages []*page

// readPages reads the pages in a folder, which need not exist.
func readPages(dir string) (pages, error) {
	var all pages
	for _, e := range experiments.All() {
		p := &page{e: e, head: "# " + e.Name + "\n\n" + e.Figure + ": " + e.Title + "."}
		all = append(all, p)
		text, err := os.ReadFile(p.path(dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, errors.WithStack(err)
		}
		for i, t := range strings.Split("\n"+string(text), partStart) {
			if i == 0 {
				p.head = strings.TrimSpace(t)
				continue
			}
			heading, body, _ := strings.Cut(t, "\n")
			if _, ok := scaleOf(e, heading); !ok {
				return nil, errors.Errorf("%s: %q is not an experiment at a scale: \"%s, small\"", p.path(dir), heading, e.Name)
			}
			p.parts = append(p.parts, part{heading, strings.TrimSpace(body)})
		}
		p.sort()
	}
	return all, nil
}

func (p *page) path(dir string) string { return filepath.Join(dir, p.e.Name+".md") }

// scaleOf is the scale in a heading of an experiment.
func scaleOf(e *experiments.Experiment, heading string) (experiments.Scale, bool) {
	name, scale, _ := strings.Cut(heading, ", ")
	s := experiments.Scale(scale)
	return s, name == e.Name && slices.Contains(experiments.Scales, s)
}

// part returns the part with a heading, or nil.
func (p *page) part(heading string) *part {
	for i := range p.parts {
		if p.parts[i].heading == heading {
			return &p.parts[i]
		}
	}
	return nil
}

// put adds or replaces a part.
func (p *page) put(heading, text string) {
	p.changed = true
	text = strings.TrimSpace(text)
	if old := p.part(heading); old != nil {
		old.text = text
	} else {
		p.parts = append(p.parts, part{heading, text})
	}
	p.sort()
}

// sort puts the largest scale first.
func (p *page) sort() {
	place := func(q part) int {
		s, _ := scaleOf(p.e, q.heading)
		return -slices.Index(experiments.Scales, s)
	}
	slices.SortStableFunc(p.parts, func(a, b part) int { return place(a) - place(b) })
}

// of returns the page of an experiment.
func (all pages) of(e *experiments.Experiment) *page {
	return all[slices.IndexFunc(all, func(p *page) bool { return p.e == e })]
}

// empty reports whether no page has a part.
func (all pages) empty() bool {
	return !slices.ContainsFunc(all, func(p *page) bool { return len(p.parts) > 0 })
}

// write writes the pages that have changed.
func (all pages) write(dir string) error {
	for _, p := range all {
		if !p.changed {
			continue
		}
		text := p.head + "\n"
		for _, q := range p.parts {
			text += partStart + q.heading + "\n\n" + q.text + "\n"
		}
		if err := durable.WriteFile(p.path(dir), []byte(text)); err != nil {
			return errors.WithStack(err)
		}
	}
	return nil
}

// main is the part of the largest scale that was run, or nil; the scale smoke counts only
// if there is no other.
func (p *page) main() *part {
	if len(p.parts) == 0 {
		return nil
	}
	return &p.parts[0]
}
