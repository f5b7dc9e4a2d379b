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

	"github.com/apo-gorgonia/apo/benchmarks/suite"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

const (
	claimsTitle = "What the paper claims"
	goalsTitle  = "What this project wants to reach"
)

const usage = `Usage: benchmarks report [-o FILE] [-keep FILE] [-notes FILE] DIR

Writes a report of the results in DIR, as Markdown with figures (PNG and SVG), to
DIR/report.md and DIR/figures, or to FILE and a folder beside it. The report has
tables, figures, and verdicts on the claims of the paper and the goals of this
project.

Exit codes:
  0  the report is written
  1  results cannot be read, or the report cannot be written
  2  wrong usage

Flags:
`

// Command is the subcommand "report"; it returns the exit code.
func Command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("report", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	out := f.String("o", "", "write the Markdown to this `file` and the figures to the folder FILE-figures (without FILE's ending)")
	notes := f.String("notes", "", "insert this Markdown `file` after the claims, such as benchmarks/NOTES.md")
	keep := f.String("keep", "", "keep sections and claims of this earlier report `file` for experiments without results in DIR; it may be that of -o")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		f.SetOutput(stdout)
		f.PrintDefaults()
		return 0
	}
	if err == nil && f.NArg() != 1 {
		err = errors.New("one folder of results is needed")
	}
	if err != nil {
		fmt.Fprintf(stderr, "report: %v\n(-h lists the flags)\n", err)
		return 2
	}
	p := paths{dir: f.Arg(0), notes: *notes, keep: *keep, text: *out}
	if p.text == "" {
		p.text, p.figures = filepath.Join(p.dir, "report.md"), filepath.Join(p.dir, "figures")
	} else {
		base := strings.TrimSuffix(p.text, filepath.Ext(p.text))
		p.figures = filepath.Join(filepath.Dir(p.text), strings.ToLower(filepath.Base(base))+"-figures")
	}
	if err := write(ctx, p, stderr); err != nil {
		fmt.Fprintf(stderr, "report: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s, figures in %s\n", p.text, p.figures)
	return 0
}

// paths are the files of a report.
type paths struct {
	dir           string // of the results
	text, figures string // file of the Markdown, folder of the figures
	notes, keep   string // input files, "" for none
}

// write writes the report of a results folder.
func write(ctx context.Context, p paths, stderr io.Writer) error {
	var notes []byte
	if p.notes != "" {
		var err error
		if notes, err = os.ReadFile(p.notes); err != nil {
			return errors.WithStack(err)
		}
	}
	sections, err := load(p.dir, stderr)
	if err != nil {
		return err
	}
	old, err := readEarlier(p.keep)
	if err != nil {
		return err
	}
	old.without(sections)
	envs, err := suite.ReadEnvironments(p.dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.figures, 0o777); err != nil {
		return errors.WithStack(err)
	}
	var d document
	d.header(envs, sections, old)
	d.summary(claimsTitle, slices.Concat(computedClaims(), paperClaims, imageClaims, precisionClaims, translationClaims), sections, old)
	d.summary(goalsTitle, slices.Concat(goals, recommendedGoals, imageGoals, precisionGoals, translationGoals), sections, old)
	d.paperTables(sections)
	if len(notes) > 0 {
		d.add("%s", strings.TrimSpace(string(notes)))
	}
	if err := d.sections(ctx, sections, p.figures); err != nil {
		return err
	}
	for _, o := range old.sections {
		d.add("%s", o.text)
	}
	return errors.WithStack(durable.WriteFile(p.text, []byte(d.b.String())))
}

// sections draws and describes all sections.
func (d *document) sections(ctx context.Context, all []*section, figures string) error {
	for _, s := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		drawn, err := s.draw(figures)
		if err != nil {
			return err
		}
		d.section(s, drawn, filepath.Base(figures))
	}
	return nil
}
