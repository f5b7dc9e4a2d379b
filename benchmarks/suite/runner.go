package suite

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// runner runs jobs, each in a process, and counts failures.
type runner struct {
	dir     string
	commit  string
	jobs    int // number of parallel jobs
	stderr  io.Writer
	missing []string // experiments whose data sets are missing
	failed  int
}

// do runs the jobs. It reports and counts jobs that fail and jobs whose data set is
// missing; the only error is that of ctx.
func (r *runner) do(ctx context.Context, jobs []planned) error {
	weight := make([]float64, len(jobs))
	for i, j := range jobs {
		weight[i] = j.weight
	}
	p := newDisplay(r.stderr, weight)
	defer p.close()
	var mu sync.Mutex // of the counts
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(1, r.jobs) {
		workers.Go(func() {
			for i := range next {
				text, err := r.one(ctx, jobs[i], func(t Progress) {
					p.update(i, jobs[i].String(), float64(t.Step)/float64(jobs[i].Config.Steps), t.Loss)
				}, &mu)
				if ctx.Err() != nil && err != nil {
					continue
				}
				mu.Lock()
				r.count(jobs[i], err)
				mu.Unlock()
				if err != nil {
					text = err.Error()
				}
				p.finish(i, jobs[i].String(), text)
			}
		})
	}
	for i := range jobs {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return ctx.Err()
}

// one runs one job and describes its result.
func (r *runner) one(ctx context.Context, j planned, progress func(Progress), mu *sync.Mutex) (string, error) {
	mu.Lock()
	missing := r.isMissing(j.Experiment)
	mu.Unlock()
	if missing {
		return "skipped: its data set is missing", nil
	}
	if j.state == absent {
		if source, err := copyShared(r.dir, j.Job); err != nil || source != "" {
			return "copied from " + source, err
		}
	}
	o := Order{Job: j.Job, Path: j.Path(r.dir), Resume: j.state == partial, Source: j.source, Commit: r.commit, Jobs: r.jobs}
	if err := runProcess(ctx, o, progress); err != nil {
		return "", err
	}
	run, err := ReadRun(o.Path)
	if err != nil {
		return "", err
	}
	return describe(run), nil
}

func (r *runner) isMissing(experiment string) bool {
	for _, m := range r.missing {
		if m == experiment {
			return true
		}
	}
	return false
}

func (r *runner) count(j planned, err error) {
	switch {
	case err == nil:
	case errors.Is(err, datasets.ErrNotFound):
		if !r.isMissing(j.Experiment) {
			r.missing = append(r.missing, j.Experiment)
		}
	default:
		r.failed++
	}
}

// describe describes the result of a run.
func describe(r *Run) string {
	d := r.Done
	switch {
	case d == nil:
		return "not finished"
	case d.DivergedAt != nil:
		return fmt.Sprintf("diverged at step %d", *d.DivergedAt)
	}
	return fmt.Sprintf("training loss %.4g in %.1f s", r.FinalLoss(), d.Seconds)
}

// remove removes a job's files.
func remove(dir string, j Job) error {
	path := j.Path(dir)
	for _, p := range []string{path, j.storedPath(dir), strings.TrimSuffix(path, rawExt) + ".ckpt"} {
		if err := os.Remove(p); err != nil && !os.IsNotExist(err) {
			return errors.Wrap(err, "results")
		}
	}
	return nil
}
