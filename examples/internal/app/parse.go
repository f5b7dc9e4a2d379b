package app

import (
	"encoding/json"
	"flag"
	"io"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// checkpointFile is a run's checkpoint in its folder.
const checkpointFile = "checkpoint"

// Parse reads the flags. With -resume they change the settings of the run in the
// folder -out, where only the number of epochs and the logs may change.
func (a *App) Parse(args []string, stdout io.Writer) (p Program, resume bool, err error) {
	p = a.New()
	p.SetDefaults()
	p.Common().out = filepath.Join("out", a.Name)
	if err := cli.Parse(a.flags(p, &resume), args, a.About, stdout); err != nil {
		return nil, false, err
	}
	if !resume {
		p.Complete()
		return p, false, cli.AsUsage(a.check(p))
	}
	if p, err = a.stored(p.Common().out); err != nil {
		return nil, true, err
	}
	epochs := p.Common().Epochs
	stored, err := runlog.Fields(p, a.Keys)
	if err != nil {
		return nil, true, err
	}
	if err := cli.Parse(a.flags(p, &resume), args, a.About, stdout); err != nil {
		return nil, true, err
	}
	if err := a.checkContinued(p, stored, epochs); err != nil {
		return nil, true, cli.AsUsage(err)
	}
	p.Complete()
	return p, true, cli.AsUsage(a.check(p))
}

// flags defines all flags with the present settings as defaults.
func (a *App) flags(p Program, resume *bool) *flag.FlagSet {
	fs := flag.NewFlagSet(a.Name, flag.ContinueOnError)
	p.Common().flags(a, fs)
	p.Flags(fs)
	fs.BoolVar(resume, "resume", *resume, "go on from the checkpoint in -out; a larger -epochs extends the run")
	return fs
}

// stored reads the settings of the run in the folder, which may be damaged. A run
// that was started without -lr keeps its rate, whatever the default is now.
func (a *App) stored(out string) (Program, error) {
	p := a.New()
	s := p.Common()
	s.out = out
	if err := runlog.ReadSettings(out, p, a.Keys); err != nil {
		return nil, err
	}
	if err := a.check(p); err != nil {
		return nil, errors.WithMessage(err, filepath.Join(out, runlog.SettingsJSON))
	}
	if s.LR == nil {
		lr, err := storedRate(filepath.Join(out, checkpointFile))
		if err != nil {
			return nil, err
		}
		s.LR = &lr
	}
	return p, nil
}

// storedRate is the initial learning rate of a checkpoint's run.
func storedRate(path string) (float64, error) {
	c, err := checkpoint.Read(path)
	if err != nil {
		return 0, err
	}
	type settings struct {
		LR float64 `json:"lr"`
	}
	var document struct {
		Settings struct {
			settings
			Rest *struct{ Settings settings } `json:"rest"` // of groups
		} `json:"settings"`
	}
	err = json.Unmarshal(c.Meta, &document)
	if rest := document.Settings.Rest; rest != nil {
		return rest.Settings.LR, errors.Wrap(err, path)
	}
	return document.Settings.LR, errors.Wrap(err, path)
}

// checkContinued reports settings that differ from those of the run to resume. A run
// may become longer where nothing in it depends on its length.
func (a *App) checkContinued(p Program, stored map[string]any, epochs int) error {
	s := p.Common()
	if s.Epochs != epochs {
		if _, at := p.Decay(); s.Schedule == "cosine" || s.Schedule == "step" && len(at) == 0 {
			return errors.Errorf("-epochs %d: the schedule %s was made for %d epochs", s.Epochs, s.Schedule, epochs)
		}
		if err := p.CheckExtension(); err != nil {
			return errors.WithMessagef(err, "-epochs %d instead of %d", s.Epochs, epochs)
		}
	}
	now, err := runlog.Fields(p, a.Keys)
	if err != nil {
		return err
	}
	now["epochs"], now["log"] = stored["epochs"], stored["log"]
	return runlog.SameFields(s.out, now, stored)
}
