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

Writes what the results in DIR say, as Markdown with figures (PNG and SVG):
DIR/report.md and DIR/figures, or FILE and a folder beside it.

Exit codes:
  0  the report is there
  1  results cannot be read, or the report cannot be written
  2  wrong usage

Flags:
`

// Command is the subcommand "report"; it returns the exit code.
func Command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("report", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	out := f.String("o", "", "write the Markdown to this `file`, the figures to FILE without its ending and \"-figures\"")
	notes := f.String("notes", "", "a Markdown `file` that is put behind the claims, such as benchmarks/NOTES.md")
	keep := f.String("keep", "", "a report `file` whose sections and claims stay where DIR has no results of their experiments; it may be the one of -o")
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
	path := filepath.Join(f.Arg(0), "report.md")
	figures := filepath.Join(f.Arg(0), "figures")
	if *out != "" {
		path = *out
		base := strings.TrimSuffix(path, filepath.Ext(path))
		figures = filepath.Join(filepath.Dir(path), strings.ToLower(filepath.Base(base))+"-figures")
	}
	if err := write(ctx, f.Arg(0), path, figures, *notes, *keep, stderr); err != nil {
		fmt.Fprintf(stderr, "report: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s, figures in %s\n", path, figures)
	return 0
}

// write makes the report of a results folder.
func write(ctx context.Context, dir, path, figures, notes, keep string, stderr io.Writer) error {
	var text []byte
	if notes != "" {
		var err error
		if text, err = os.ReadFile(notes); err != nil {
			return errors.WithStack(err)
		}
	}
	sections, err := load(dir, stderr)
	if err != nil {
		return err
	}
	old, err := readEarlier(keep)
	if err != nil {
		return err
	}
	old.without(sections)
	envs, err := suite.ReadEnvironments(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(figures, 0o777); err != nil {
		return errors.WithStack(err)
	}
	var d document
	d.header(envs, sections, old)
	d.summary(claimsTitle, slices.Concat(computedClaims(), paperClaims, imageClaims), sections, old)
	d.summary(goalsTitle, slices.Concat(goals, imageGoals), sections, old)
	d.paperTables(sections)
	if len(text) > 0 {
		d.add("%s", strings.TrimSpace(string(text)))
	}
	for _, s := range sections {
		if err := ctx.Err(); err != nil {
			return err
		}
		drawn, err := s.draw(figures)
		if err != nil {
			return err
		}
		d.section(s, drawn, filepath.Base(figures))
	}
	for _, o := range old.sections {
		d.add("%s", o.text)
	}
	return errors.WithStack(durable.WriteFile(path, []byte(d.b.String())))
}
