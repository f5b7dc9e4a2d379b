package suite

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

const storeUsage = `Usage: benchmarks store [-out DIR] [-redo] DIR...

Condenses the finished results in the folders DIR, those of "run", of "selftune run"
or of "store", into small files that can stay in the repository: one a run, with its settings,
where it was made, how it ended, and its curves thinned to about 60 points. They
join what the folder -out has; a run of the same settings is replaced. "report"
and "selftune report" read both kinds of files.

Runs of one method that differ in more than the seed cannot be compared. A run
with other settings than those stored of its method is refused, unless -redo
removes these.

Exit codes:
  0  all finished results are stored
  1  results cannot be read or written, or some have other settings
  2  wrong usage
`

// storing is the work of the command "store".
type storing struct {
	out                               string
	redo                              bool
	stored, same, unfinished, refused int
	stdout                            io.Writer
}

// StoreCommand is the subcommand "store"; it returns the exit code.
func StoreCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s := storing{stdout: stdout}
	var dirs []string
	f := flag.NewFlagSet("store", flag.ContinueOnError)
	f.StringVar(&s.out, "out", filepath.Join("benchmarks", "results"), "folder of the stored results")
	f.BoolVar(&s.redo, "redo", false, "replace stored results that have other settings")
	code, ok := subcommand.ParseFlags(f, storeUsage, args, stdout, stderr, func(names []string) error {
		dirs = names
		switch {
		case len(names) == 0:
			return errors.New("a folder of results is needed")
		case s.out == "":
			return errors.New("-out must not be empty")
		}
		return nil
	})
	if !ok {
		return code
	}
	if err := s.all(ctx, dirs); err != nil {
		fmt.Fprintf(stderr, "store: %v\n", err)
		return exitFailed
	}
	fmt.Fprintf(stdout, "%s: %d results stored, %d there already, %d unfinished, %d refused\n", s.out, s.stored, s.same, s.unfinished, s.refused)
	if s.refused > 0 {
		return exitFailed
	}
	return exitOK
}

// all stores the results of folders.
func (s *storing) all(ctx context.Context, dirs []string) error {
	if err := os.MkdirAll(s.out, 0o777); err != nil {
		return errors.Wrap(err, "-out")
	}
	lock, err := durable.LockFolder(s.out)
	if err != nil {
		return errors.WithMessage(err, "-out")
	}
	defer func() { _ = lock.Unlock() }()
	for _, dir := range dirs {
		if _, err := os.ReadDir(dir); err != nil {
			return errors.WithStack(err)
		}
		envs, err := ReadEnvironments(dir)
		if err != nil {
			return err
		}
		for _, e := range experiments.Every() {
			for _, scale := range experiments.Scales {
				if err := s.folder(ctx, dir, e, scale, envs); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// folder stores the results of an experiment at a scale.
func (s *storing) folder(ctx context.Context, dir string, e *experiments.Experiment, scale experiments.Scale, envs []Environment) error {
	if err := s.computed(dir, e, scale); err != nil {
		return err
	}
	paths, err := RunFiles(dir, e.Name, scale)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := ReadRun(path)
		switch {
		case errors.Is(err, ErrNoHeader) || err == nil && r.Done == nil:
			s.unfinished++
			continue
		case err != nil:
			return err
		case r.Header.Trial > 0:
			continue
		case r.Header.Experiment != e.Name || r.Header.Scale != scale:
			return errors.Errorf("%s is a run of %s at scale %s", path, r.Header.Experiment, r.Header.Scale)
		}
		r.Made(envs)
		if err := s.run(path, r); err != nil {
			return err
		}
	}
	return nil
}

// run stores a run, unless some of its method have other settings.
func (s *storing) run(from string, r *Run) error {
	path := r.Header.storedPath(s.out)
	others, err := s.others(r)
	if err != nil {
		return err
	}
	if len(others) > 0 && !s.redo {
		fmt.Fprintf(s.stdout, "%s: has other settings than %s and is left out; -redo removes what is stored\n", from, strings.Join(others, ", "))
		s.refused++
		return nil
	}
	for _, other := range others {
		if err := os.Remove(other); err != nil {
			return errors.WithStack(err)
		}
		fmt.Fprintf(s.stdout, "%s: removed, it has other settings than %s\n", other, from)
	}
	text, err := r.stored()
	if err != nil {
		return errors.WithMessage(err, from)
	}
	return s.write(path, text)
}

// others are the stored runs of a run's method and variant that differ in more than the
// seed.
func (s *storing) others(r *Run) (paths []string, err error) {
	all, err := RunFiles(s.out, r.Header.Experiment, r.Header.Scale)
	if err != nil {
		return nil, err
	}
	own := withoutSeed(r.Header.storedPath(s.out))
	for _, path := range all {
		if withoutSeed(path) != own {
			continue
		}
		o, err := ReadRun(path)
		if err != nil {
			return nil, err
		}
		job := o.Header.Job
		job.Seed = r.Header.Seed
		if job.Method == r.Header.Method && job.Variant == r.Header.Variant && !job.same(r.Header.Job) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// withoutSeed is the path of a run up to the number of its seed, the same for all seeds.
func withoutSeed(path string) string {
	return strings.TrimRight(strings.TrimSuffix(path, filepath.Ext(path)), "0123456789")
}

// computed stores a computed result.
func (s *storing) computed(dir string, e *experiments.Experiment, scale experiments.Scale) error {
	from := ComputedPath(dir, e.Name, scale)
	text, err := os.ReadFile(from)
	if e.Computation == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errors.WithStack(err)
	}
	if text, err = compactComputed(text); err == nil {
		_, err = e.Computation.Decode(text)
	}
	if err != nil {
		return errors.WithMessage(err, from)
	}
	return s.write(ComputedPath(s.out, e.Name, scale), text)
}

// write writes a stored file unless it has that content already.
func (s *storing) write(path string, text []byte) error {
	if was, err := os.ReadFile(path); err == nil && bytes.Equal(was, text) {
		s.same++
		return nil
	}
	s.stored++
	return replaceFile(path, text)
}

// The endings of the files of runs.
const (
	rawExt    = ".jsonl" // lines, as they are measured
	storedExt = ".json"  // condensed
)

// RunFiles are the paths of the files of an experiment's runs, of both kinds.
func RunFiles(dir, experiment string, scale experiments.Scale) ([]string, error) {
	folder := filepath.Join(dir, experiment, string(scale))
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.WithStack(err)
	}
	var paths []string
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		if slices.Contains([]string{rawExt, storedExt}, filepath.Ext(path)) && path != ComputedPath(dir, experiment, scale) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}
