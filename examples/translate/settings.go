package main

import (
	"encoding/json"
	"flag"
	"io"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/text"
)

// settings describe a run. They are kept in settings.json, so that -resume goes on with
// the same ones. Pointers are nil where no flag was given.
type settings struct {
	Data      string          `json:"data"`
	Source    string          `json:"source,omitempty"`
	Target    string          `json:"target,omitempty"`
	Limit     int             `json:"limit"`
	Merges    int             `json:"merges"`
	Layers    int             `json:"layers"`
	Width     int             `json:"width"`
	Heads     int             `json:"heads"`
	Hidden    int             `json:"hidden"`
	Dropout   float64         `json:"dropout"`
	Smoothing float64         `json:"smoothing"`
	Optimizer string          `json:"optimizer"`
	Extra     json.RawMessage `json:"settings,omitempty"`
	LR        *float64        `json:"lr,omitempty"`
	APO       string          `json:"apo"`
	K         *int            `json:"k,omitempty"`
	FSD       *float64        `json:"fsd,omitempty"`
	WSD       *float64        `json:"wsd,omitempty"`
	Schedule  string          `json:"schedule"`
	WarmUp    int             `json:"warm-up"`
	Tokens    int             `json:"tokens"`
	Epochs    int             `json:"epochs"`
	Seed      uint64          `json:"seed"`
	Precision string          `json:"precision,omitempty"` // "" is float32
	Log       []string        `json:"log,omitempty"`       // further kinds

	beam int
	out  string
	live bool
}

// mode is what the program does beside training.
type mode struct{ resume, translate, dryRun bool }

func defaults() *settings {
	return &settings{
		Data: "multi30k", Merges: 6000, Layers: 2, Width: 128, Heads: 4, Hidden: 512, Dropout: 0.1, Smoothing: 0.1,
		Optimizer: "adamw", APO: "none", Schedule: "inverse-sqrt", WarmUp: 400, Tokens: 2048, Epochs: 10, Seed: 1,
		beam: 5, out: filepath.Join("out", "translate"),
	}
}

// flags defines all flags with the present settings as defaults.
func (s *settings) flags(m *mode) *flag.FlagSet {
	fs := flag.NewFlagSet("translate", flag.ContinueOnError)
	fs.StringVar(&s.Data, "data", s.Data, "text: multi30k, iwslt14 or files")
	fs.StringVar(&s.Source, "source", s.Source, "with -data files: the `file` of the source, plain text or .gz; the last tenth is for validation and test")
	fs.StringVar(&s.Target, "target", s.Target, "with -data files: the `file` of the target")
	fs.IntVar(&s.Limit, "limit", s.Limit, "train on the first `N` pairs only, 0 for all")
	fs.IntVar(&s.Merges, "merges", s.Merges, "merges of byte-pair encoding")
	fs.IntVar(&s.Layers, "layers", s.Layers, "blocks of the encoder, and of the decoder")
	fs.IntVar(&s.Width, "width", s.Width, "width of the net")
	fs.IntVar(&s.Heads, "heads", s.Heads, "heads of attention; they must divide the width")
	fs.IntVar(&s.Hidden, "hidden", s.Hidden, "hidden units of the feed-forward nets")
	fs.Float64Var(&s.Dropout, "dropout", s.Dropout, "rate of dropout")
	fs.Float64Var(&s.Smoothing, "smoothing", s.Smoothing, "label smoothing")
	fs.StringVar(&s.Optimizer, "optimizer", s.Optimizer, "optimizer: one of "+strings.Join(trainers.OptimizerNames(), ", "))
	fs.Func("settings", `the optimizer's other settings as JSON, such as '{"momentum": 0.95}'`, func(text string) error {
		s.Extra = json.RawMessage(text)
		return nil
	})
	fs.Func("lr", "initial learning rate (default 0.002 for adamw; else "+cli.RatesHelp()+")", cli.Float(&s.LR))
	fs.StringVar(&s.APO, "apo", s.APO, "how APO adapts the rate: none or plain (down its gradient); optimizers that learn a preconditioner do so in any case")
	fs.Func("k", "steps from one meta-step to the next (default the library's)", cli.Int(&s.K))
	fs.Func("fsd", "weight of the function-space term (default the library's)", cli.Float(&s.FSD))
	fs.Func("wsd", "weight of the weight-space term (default the library's)", cli.Float(&s.WSD))
	fs.StringVar(&s.Schedule, "schedule", s.Schedule, "factor on the rate: constant or inverse-sqrt")
	fs.IntVar(&s.WarmUp, "warm-up", s.WarmUp, "steps over which the rate rises linearly")
	fs.IntVar(&s.Tokens, "tokens", s.Tokens, "tokens in a mini-batch, padding included")
	fs.IntVar(&s.Epochs, "epochs", s.Epochs, "passes over the training set")
	fs.Uint64Var(&s.Seed, "seed", s.Seed, "seed of everything random")
	fs.Func("precision", cli.PrecisionHelp, cli.Precision(&s.Precision))
	fs.Func("log", runlog.KindsHelp+"; with -resume those of the run", runlog.ParseKinds(&s.Log))
	fs.BoolVar(&s.live, "live", s.live, cli.LiveHelp)
	fs.BoolVar(&m.dryRun, "dry-run", m.dryRun, cli.DryRunHelp)
	fs.IntVar(&s.beam, "beam", s.beam, "width of the search for -translate and the test")
	fs.StringVar(&s.out, "out", s.out, "folder for the results, overwritten unless -resume or -translate is given")
	fs.BoolVar(&m.resume, "resume", m.resume, "go on from the checkpoint in -out; another -epochs changes the run's length")
	fs.BoolVar(&m.translate, "translate", m.translate, "translate sentences from standard input by the net in -out")
	return fs
}

// parse reads the flags. With -resume and -translate they change the settings of the run
// in -out, where only the number of epochs and the logs may change.
func parse(args []string, stdout io.Writer) (s *settings, m mode, err error) {
	s = defaults()
	if err := cli.Parse(s.flags(&m), args, about, stdout); err != nil {
		return nil, m, err
	}
	switch {
	case m.resume && m.translate:
		return nil, m, cli.Usagef("-resume and -translate exclude each other")
	case m.dryRun && m.translate:
		return nil, m, cli.Usagef("-dry-run and -translate exclude each other")
	case !m.resume && !m.translate:
		return s, m, cli.AsUsage(s.check())
	}
	out := s.out
	s = defaults()
	s.out = out
	if err := runlog.ReadSettings(out, s, nil); err != nil {
		return nil, m, err
	}
	if err := s.check(); err != nil {
		return nil, m, errors.WithMessage(err, filepath.Join(out, runlog.SettingsJSON))
	}
	stored, err := runlog.Fields(s, nil)
	if err != nil {
		return nil, m, err
	}
	if err := cli.Parse(s.flags(&m), args, about, stdout); err != nil {
		return nil, m, err
	}
	now, err := runlog.Fields(s, nil)
	if err != nil {
		return nil, m, err
	}
	now["epochs"], now["log"] = stored["epochs"], stored["log"]
	if err := runlog.SameFields(out, now, stored); err != nil {
		return nil, m, cli.AsUsage(err)
	}
	return s, m, cli.AsUsage(s.check())
}

// check reports settings that are wrong, by their flags.
func (s *settings) check() error {
	switch {
	case s.out == "":
		return errors.New("-out must not be empty")
	case s.Data != "multi30k" && s.Data != "iwslt14" && s.Data != "files":
		return errors.Errorf("-data %q: it must be multi30k, iwslt14 or files", s.Data)
	case (s.Data == "files") != (s.Source != "" && s.Target != "") || (s.Source == "") != (s.Target == ""):
		return errors.New("-source and -target belong to -data files")
	case s.APO != "none" && s.APO != "plain":
		return errors.Errorf("-apo %q: it must be none or plain", s.APO)
	case s.Schedule != "constant" && s.Schedule != "inverse-sqrt":
		return errors.Errorf("-schedule %q: it must be constant or inverse-sqrt", s.Schedule)
	}
	if err := cli.First(
		cli.CheckPrecision(s.Precision, "float32"),
		cli.Between("limit", s.Limit, 0, 10_000_000),
		cli.Between("merges", s.Merges, 1, 100_000),
		cli.Between("layers", s.Layers, 1, 24),
		cli.Between("width", s.Width, 2, 4096),
		cli.Between("heads", s.Heads, 1, s.Width),
		cli.Between("hidden", s.Hidden, 1, 16384),
		cli.Between("dropout", s.Dropout, 0, 0.9),
		cli.Between("smoothing", s.Smoothing, 0, 0.9),
		cli.Between("warm-up", s.WarmUp, 0, cli.MostSteps),
		cli.Between("tokens", s.Tokens, 16, 1<<20),
		cli.Between("epochs", s.Epochs, 1, cli.MostEpochs),
		cli.Between("beam", s.beam, 1, 100),
		cli.Count("k", s.K),
		cli.Weight("lr", s.LR),
		cli.Weight("fsd", s.FSD),
		cli.Weight("wsd", s.WSD),
	); err != nil {
		return err
	}
	if err := runlog.CheckKinds(s.Log); err != nil {
		return errors.WithMessage(err, "-log")
	}
	if s.Width%s.Heads != 0 {
		return errors.Errorf("-heads %d: they do not divide the width %d", s.Heads, s.Width)
	}
	_, err := s.optimizer()
	return err
}

// adamWRate is AdamW's rate at the end of the warm-up.
const adamWRate = 0.002

func (s *settings) optimizer() (trainers.Optimizer, error) {
	lr, err := trainers.DefaultRate(s.Optimizer)
	if err != nil {
		return nil, errors.WithMessage(err, "-optimizer")
	}
	if s.Optimizer == "adamw" {
		lr = adamWRate
	}
	if s.LR != nil {
		lr = *s.LR
	}
	o, err := trainers.NewOptimizer(s.Optimizer, lr, s.Extra)
	return o, errors.WithMessage(err, cli.OptimizerFlags("optimizer", s.LR != nil, len(s.Extra) > 0))
}

// model is the net for a joint vocabulary.
func (s *settings) model(vocabulary int) *layers.TransformerModel {
	return layers.Transformer(layers.TransformerConfig{
		Encoder: s.Layers, Decoder: s.Layers, Width: s.Width, Heads: s.Heads, FeedForward: s.Hidden,
		Vocabulary: vocabulary, Padding: text.Padding, Dropout: s.Dropout, Shared: true,
	})
}
