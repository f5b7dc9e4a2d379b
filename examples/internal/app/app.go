// Package app is the part that programs have in common which train a model for
// epochs: flags, settings, logs, checkpoints, evaluation, charts, and going on with
// a run that was stopped. A program is an App, and its settings are a Program.
package app

import (
	"context"
	"flag"
	"fmt"
	"io"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// App describes a program.
type App struct {
	Name string
	// About is what -h prints before the flags.
	About string
	// New makes settings without values.
	New func() Program
	// Data names the data sets.
	Data []string
	// Images is the largest mini-batch that is accepted.
	Images int
	// EvaluationBatch is the number of images evaluated at once.
	EvaluationBatch int
	// KeepsBest keeps the weights of the epoch with the best test accuracy, and draws
	// the accuracy.
	KeepsBest bool
	// OptimizerFlag is the name of the flag for the optimizer.
	OptimizerFlag string
	// Defaults are the defaults of -k, -fsd and -wsd in the words of -h; those that
	// are missing are the library's.
	Defaults map[string]string
	// Keys are the names that settings have in settings.json, where they are not
	// those of Settings.
	Keys runlog.Keys
}

// Program are the settings of a program. A type embeds Settings, which has some of
// the methods, and adds what the program alone has.
type Program interface {
	// Common are the settings that all programs have.
	Common() *Settings
	// SetDefaults sets all settings to those without flags.
	SetDefaults()
	// Flags defines the flags that the program alone has.
	Flags(fs *flag.FlagSet)
	// Complete sets what no flag has set and where the library's default is not the
	// best.
	Complete()
	// Check reports settings of the program's own that are wrong.
	Check() error
	// Model makes the net.
	Model() (*layers.Model, error)
	// Load reads the data set.
	Load(ctx context.Context, dtype tensor.Dtype, opts ...datasets.Option) (train, test trainers.Dataset, err error)
	// OptimizerSettings is a JSON object for trainers.NewOptimizer.
	OptimizerSettings() ([]byte, error)
	// Decay has the factor of the step schedule and the epochs after which it applies;
	// without epochs it does after 1/2 and 3/4 of the run.
	Decay() (factor float64, epochs []int)
	// Options are the trainer's options other than seed, dtype and schedule. perEpoch is
	// the number of steps in an epoch.
	Options(perEpoch int, train trainers.Dataset) ([]trainers.Option, error)
	// CheckExtension reports why a run cannot get another number of epochs than it
	// was started with. (The schedule is not its concern.)
	CheckExtension() error
	// Title names model and data in charts.
	Title() string
}

// Run is the program: options of source change where the data come from. With several
// members (cli.Members) all call it with the same arguments; rank 0 alone prints and writes.
func (a *App) Run(ctx context.Context, args []string, stdout, stderr io.Writer, source ...datasets.Option) error {
	comm := cli.Members(ctx)
	p, resume, err := a.Parse(args, stdout)
	if err := collective.JoinErrors(comm, err); err != nil {
		return err
	}
	name, err := apoops.UseLibraries()
	if err := collective.JoinErrors(comm, err); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "BLAS: %s\n", name)
	var train, test trainers.Dataset
	if err := collective.AfterFirst(comm, func() (err error) { // what rank 0 downloads is there for all
		train, test, err = load(ctx, p, stderr, source)
		return err
	}); err != nil {
		return err
	}
	t, err := a.newTraining(comm, p, train, test, stdout, stderr)
	if err := collective.JoinErrors(comm, err); err != nil {
		return err
	}
	if p.Common().dryRun {
		return t.dryRun(ctx)
	}
	unlock, err := cli.LockFirst(comm, p.Common().out)
	if err != nil {
		return err
	}
	defer unlock()
	if p.Common().findRate {
		return t.findRate(resume)
	}
	if resume {
		err = t.resume()
	} else {
		err = t.start()
	}
	if err != nil {
		return err
	}
	return t.run(ctx)
}

// load reads the data set and shows the progress of downloads.
func load(ctx context.Context, p Program, stderr io.Writer, source []datasets.Option) (train, test trainers.Dataset, err error) {
	dtype, err := cli.Dtype(p.Common().Dtype)
	if err != nil {
		return nil, nil, err
	}
	bar := cli.NewDownloads(stderr)
	defer bar.Close()
	return p.Load(ctx, dtype, append([]datasets.Option{datasets.WithProgress(bar.Show)}, source...)...)
}
