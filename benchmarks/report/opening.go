package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// opening is the first page. All that it says is read from the pages of the experiments,
// so that kept pages and new ones count alike.
type opening struct {
	pages         pages
	claims, goals []row
	untuned       selfTuning
	paths         paths
}

// claimsPage is the page of all claims and goals, in the folder of the pages.
const claimsPage = "claims.md"

// String is the Markdown of the first page.
func (o *opening) String() string {
	var d document
	d.add("# Results")
	d.add("%s", o.whatWasRun())
	tasks := o.tasks()
	d.add("**Does APO work?** %s", worksText(tasks))
	if text := o.costText(); text != "" {
		d.add("**What does it cost?** %s", text)
	}
	d.add("%s", o.taskTable(tasks))
	d.add("The table compares medians over the seeds: the best other method, the best form of APO and the paper's plain form, each the best of its kind at the end of the run; "+
		"%q where the ranges over the seeds do not overlap; of one seed it says which run is ahead. The last column is the time of a step in those of SGDm, of the best other method and of the best form of APO.", better)
	d.add("## The paper's claims")
	d.add("%s", o.claimTable())
	d.add("%s", o.goalText())
	if t := o.numberTable(); len(t.rows) > 0 {
		d.add("## The paper's numbers")
		d.add("Test accuracies, or BLEU, at the end of a run: the median over the seeds here, and the paper's in brackets.")
		d.add("%s", strings.TrimSpace(t.String()))
	}
	o.selfTuning(&d)
	o.pictures(&d)
	d.add("## All experiments")
	d.add("%s", o.list())
	d.add("## What the numbers mean")
	d.add("Losses are evaluated on the training set, or the named part of it, after the last step. They are medians over the seeds, with the smallest and the largest value " +
		"in brackets. Seconds are the time spent in training steps, including the building of the graphs in the first step, without evaluation and loading. " +
		"The time of a step is the mean over all steps but the first. Where only a few steps are timed, rare work such as inverses has the share that it has in a long run. " +
		"Peak memory is the largest resident memory of the run's process during training, including the data; the number in brackets is its growth since the data were loaded.")
	d.add("Made by `go run ./benchmarks report` from the files of `go run ./benchmarks run` and from the pages that are there; not edited by hand. " +
		"benchmarks/README.md names the file that makes each part and each claim.")
	return strings.TrimSpace(d.b.String()) + "\n"
}

// page links a page.
func (o *opening) page(p *page, text string) string {
	return "[" + text + "](" + link(filepath.Dir(o.paths.text), p.path(o.paths.pages)) + ")"
}

// whatWasRun says what was run, on which machines, in a few lines.
func (o *opening) whatWasRun() string {
	byScale := make(map[experiments.Scale]int)
	var all machines
	for _, p := range o.pages {
		for _, q := range p.parts {
			s, _ := scaleOf(p.e, q.heading)
			byScale[s]++
			for _, m := range q.machines() {
				all.add(m.name, m.commits...)
			}
		}
	}
	var counts []string
	for _, s := range slices.Backward(experiments.Scales) {
		if n := byScale[s]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d at the scale %s", n, s))
		}
	}
	text := "Experiments: " + strings.Join(counts, ", ") + "."
	for _, m := range all.merged() {
		text += " " + m.short()
	}
	folder := filepath.Dir(o.paths.text)
	text += fmt.Sprintf(" [All claims and goals](%s)", link(folder, filepath.Join(o.paths.pages, claimsPage)))
	if o.paths.notes != "" {
		text += fmt.Sprintf("; [what was tried](%s)", link(folder, o.paths.notes))
	}
	return text + "."
}

// pictured are the figures of the first page, the first four of those that are there.
var pictured = [][2]string{
	{"table2-cifar10-lenet", "accuracy-steps"}, {"fig4-autoencoder", "loss-time"}, {"fig3-parkinsons", "loss-time"}, {"fig4-mnist-lr", "sgdm-rate-steps"},
	{"fig4-illcond-32", "loss-steps"}, {"fig3-protein", "loss-time"}, {"mnist-mlp", "loss-time"}, {"table2-cifar10-resnet8", "accuracy-steps"},
}

var image = regexp.MustCompile(`!\[([^\]]*)\]\(([^)]*)\)`)

// pictures adds four pictures, two in a row.
func (o *opening) pictures(d *document) {
	var found []string
	for _, want := range pictured {
		i := slices.IndexFunc(o.pages, func(p *page) bool { return p.e.Name == want[0] })
		if i < 0 || o.pages[i].main() == nil || len(found) == 4 {
			continue
		}
		for _, m := range image.FindAllStringSubmatch(o.pages[i].main().text, -1) {
			if strings.HasSuffix(m[2], "-"+want[1]+".png") {
				path := link(filepath.Dir(o.paths.text), filepath.Join(o.paths.pages, filepath.FromSlash(m[2])))
				caption, _, _ := strings.Cut(m[1], ";")
				found = append(found, picture(path, o.pages[i].label()+": "+caption))
			}
		}
	}
	if len(found) > 0 {
		d.add("## Pictures")
		d.add("%s", strings.Join(found, "\n"))
	}
}

// picture links a picture of half the width.
func picture(path, text string) string {
	return fmt.Sprintf(`<a href=%q><img src=%q width="49%%" alt=%q></a>`, path, path, text)
}

// list is the list of all experiments with their pages.
func (o *opening) list() string {
	t := table{head: []string{"page", "experiment", "here"}}
	var without []string
	for _, p := range o.pages {
		var scales []string
		for _, q := range p.parts {
			s, _ := scaleOf(p.e, q.heading)
			scales = append(scales, string(s))
		}
		if len(scales) == 0 {
			without = append(without, p.e.Name)
			continue
		}
		t.add(o.page(p, p.e.Name), p.e.Figure+": "+p.e.Title, strings.Join(scales, ", "))
	}
	text := t.String()
	if len(without) > 0 {
		text += "\nNot run: " + strings.Join(without, ", ") + "."
	}
	return strings.TrimSpace(text)
}

// allClaims is the page of all claims and goals.
func (o *opening) allClaims() string {
	var d document
	d.add("# Claims and goals")
	d.add("[The first page](%s) has one line for each claim of the paper.", link(o.paths.pages, o.paths.text))
	for _, g := range []struct {
		title string
		rows  []row
	}{{claimsTitle, o.claims}, {goalsTitle, o.goals}} {
		t := table{head: []string{"experiment", "claim", "here", "figures"}}
		for _, r := range g.rows {
			name, _, atScale := strings.Cut(r.heading, ", ")
			where, v := r.heading, string(r.verdict)
			if atScale {
				where, v = fmt.Sprintf("[%s](%s.md)", r.heading, name), "**"+v+"**"
			}
			t.add(where, r.text, v, r.figures)
		}
		d.add("## %s", g.title)
		d.add("%s", strings.TrimSpace(t.String()))
	}
	return strings.TrimSpace(d.b.String()) + "\n"
}

// goalText counts the goals.
func (o *opening) goalText() string {
	n := make(map[verdict]int)
	for _, r := range o.goals {
		n[r.verdict]++
	}
	return fmt.Sprintf("Of %d goals of this project %d hold, %d do not, %d were not run: [all of them](%s).", len(o.goals), n[holds], n[fails], n[notRun],
		cmp.Or(link(filepath.Dir(o.paths.text), filepath.Join(o.paths.pages, claimsPage)), claimsPage))
}
