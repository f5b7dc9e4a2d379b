package suite

import (
	"context"
	"io"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// Batch runs jobs that another command plans, as the command run does: each in a process
// of its own, resumed where it was interrupted, and those that are stored not again.
type Batch struct {
	// Failed counts the runs that failed, Kept those that were stored with other settings.
	Failed, Kept int
	// Missing are the experiments whose data sets are missing.
	Missing []string

	r      runner
	redo   bool
	unlock func()
}

// OpenBatch locks the folder of results dir and notes this machine in it. parallel is the
// number of parallel runs; with redo results of other settings are replaced.
func OpenBatch(ctx context.Context, dir string, parallel int, redo bool, stderr io.Writer) (*Batch, error) {
	c := common{dir: dir}
	unlock, err := c.lock()
	if err != nil {
		return nil, err
	}
	env, err := CurrentEnvironment(ctx)
	if err == nil {
		err = env.store(dir)
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return &Batch{r: runner{dir: dir, commit: env.Commit, jobs: parallel, stderr: stderr}, redo: redo, unlock: unlock}, nil
}

// Close unlocks the folder.
func (b *Batch) Close() { b.unlock() }

// Run runs the jobs in their order. source says where their settings come from. Runs that
// fail are reported and counted; the error is that of ctx or of the store.
func (b *Batch) Run(ctx context.Context, jobs []Job, source string) error {
	var todo []planned
	for _, j := range jobs {
		p, err := b.plan(j, source)
		switch {
		case err != nil:
			return err
		case p.state == other:
			b.Kept++
		case p.state != finished:
			todo = append(todo, p)
		}
	}
	if len(todo) == 0 {
		return ctx.Err()
	}
	err := b.r.do(ctx, todo)
	b.Failed, b.Missing = b.r.failed, b.r.missing
	return err
}

// plan is a job with its state. A trial, or with redo any run, of other settings is
// removed.
func (b *Batch) plan(j Job, source string) (planned, error) {
	e, err := experiments.Get(j.Experiment)
	if err != nil {
		return planned{}, err
	}
	if _, err := methods.Get(j.Method); err != nil {
		return planned{}, err
	}
	st, err := stateOf(b.r.dir, j)
	if err == nil && st == other && (b.redo || j.Trial > 0) {
		st, err = absent, remove(b.r.dir, j)
	}
	return planned{j, source, weight(b.r.dir, e, j), st}, err
}
