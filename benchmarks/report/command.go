package report

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

const (
	claimsTitle = "What the paper claims"
	goalsTitle  = "What this project wants to reach"
)

const usage = `Usage: benchmarks report [-o FILE] [-html FILE] [-keep FILE] [-notes FILE]
                        [-selftune FILE] DIR...

Writes a report of the results in the folders DIR, those of "run" and of "store",
as Markdown with figures (PNG and SVG): the first page DIR/report.md, a page for
each experiment in DIR/pages, and DIR/figures; or FILE and two folders beside it.
It has tables, figures, and verdicts on the claims of the paper and the goals of
this project. Pages of experiments without results in DIR stay as they are, and
the first page takes their figures from them. With -html it also writes the curves
of the runs in DIR as one file for a browser, which needs no network: menus choose
experiment, methods, seeds and axes.

Exit codes:
  0  the report is written
  1  results cannot be read, or the report cannot be written
  2  wrong usage
`

// Command is the subcommand "report"; it returns the exit code.
func Command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("report", flag.ContinueOnError)
	out := f.String("o", "", "write the first page to this `file`, the others to the folder FILE-pages and the figures to FILE-figures (without FILE's ending)")
	notes := f.String("notes", "", "link this Markdown `file` from the first page as what was tried")
	selfTuning := f.String("selftune", "", "show on the first page what this `file` says, the selftune.md of \"selftune report\"")
	keep := f.String("keep", "", "move the sections of this report, a single `file` as earlier versions wrote it, to pages; it may be that of -o")
	html := f.String("html", "", "write the curves of the runs to this `file`, a page for a browser")
	var dirs []string
	code, ok := subcommand.ParseFlags(f, usage, args, stdout, stderr, func(names []string) error {
		if dirs = names; len(dirs) == 0 {
			return errors.New("a folder of results is needed")
		}
		return nil
	})
	if !ok {
		return code
	}
	p := pathsOf(*out, dirs)
	p.notes, p.selfTuning, p.keep, p.html = *notes, *selfTuning, *keep, *html
	if err := write(ctx, p, stderr); err != nil {
		fmt.Fprintf(stderr, "report: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s, pages in %s, figures in %s\n", p.text, p.pages, p.figures)
	return 0
}

// paths are the files of a report.
type paths struct {
	dirs                 []string // of the results
	text, pages, figures string   // file of the first page, folders of the pages and figures
	notes, keep          string   // input files, "" for none
	selfTuning           string   // report of selftune, "" for none
	html                 string   // page of curves, "" for none
}

// pathsOf are the files of a report to a file, or to the first folder of results.
func pathsOf(out string, dirs []string) paths {
	p := paths{dirs: dirs, text: out}
	if out == "" {
		p.text, p.pages, p.figures = filepath.Join(dirs[0], "report.md"), filepath.Join(dirs[0], "pages"), filepath.Join(dirs[0], "figures")
		return p
	}
	base := strings.TrimSuffix(out, filepath.Ext(out))
	base = filepath.Join(filepath.Dir(out), strings.ToLower(filepath.Base(base)))
	p.pages, p.figures = base+"-pages", base+"-figures"
	return p
}

// link is the path of a file or folder as it is written in a page of a folder.
func link(from, to string) string {
	if rel, err := filepath.Rel(from, to); err == nil {
		to = rel
	}
	return filepath.ToSlash(to)
}

// write writes the report of folders of results.
func write(ctx context.Context, p paths, stderr io.Writer) error {
	if p.notes != "" {
		if _, err := os.Stat(p.notes); err != nil {
			return errors.WithStack(err)
		}
	}
	var untuned selfTuning
	if p.selfTuning != "" {
		var err error
		if untuned, err = readSelfTuning(p.selfTuning); err != nil {
			return err
		}
	}
	sections, err := load(p.dirs, stderr)
	if err != nil {
		return err
	}
	all, err := readPages(p.pages)
	if err != nil {
		return err
	}
	if p.keep != "" {
		if err := all.split(p.keep, link(p.pages, p.figures)); err != nil {
			return err
		}
	}
	if len(sections) == 0 && all.empty() {
		return errors.Errorf("no results in %s", strings.Join(p.dirs, ", "))
	}
	for _, dir := range []string{p.pages, p.figures} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return errors.WithStack(err)
		}
	}
	if p.html != "" {
		if err := writeHTML(p.html, sections); err != nil {
			return err
		}
	}
	claims := slices.Concat(computedClaims(), paperClaims, imageClaims, precisionClaims, translationClaims)
	goals := slices.Concat(goals, recommendedGoals, imageGoals, precisionGoals, translationGoals)
	for _, s := range sections {
		if err := ctx.Err(); err != nil {
			return err
		}
		drawn, err := s.draw(p.figures)
		if err != nil {
			return err
		}
		all.of(s.e).put(s.heading(), partOf(s, drawn, link(p.pages, p.figures), claims, goals))
	}
	if err := all.write(p.pages); err != nil {
		return err
	}
	o := opening{pages: all, claims: all.rows(claimsTitle, claims), goals: all.rows(goalsTitle, goals), untuned: untuned, paths: p}
	if err := durable.WriteFile(filepath.Join(p.pages, claimsPage), []byte(o.allClaims())); err != nil {
		return errors.WithStack(err)
	}
	return errors.WithStack(durable.WriteFile(p.text, []byte(o.String())))
}
