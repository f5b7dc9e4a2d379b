package app

import (
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/group"
)

// Group is a group of parameters, as -group describes it.
type Group struct {
	Params []string `json:"params"` // patterns of names
	Frozen bool     `json:"frozen,omitempty"`
	// Rule is the name of the group's optimizer; "" stands for the rest's, with its settings.
	Rule string `json:"rule,omitempty"`
	// Rate is a factor on the rate that the rule would start at.
	Rate *float64 `json:"rate,omitempty"`
}

const groupHelp = "train parameters in a way of their own, `NAMES:HOW`, such as 'dense0:frozen', 'conv*,bn*:rate=0.1' or 'dense2:rule=adamw,rate=0.5': patterns of names, " +
	"and a factor on the initial rate, an optimizer or frozen; a flag for each group; weight decay then leaves out biases and normalisation"

// parseGroups is for flag.FlagSet.Func: the first flag replaces the groups of a run that goes
// on, each of the others adds one.
func parseGroups(dst *[]Group) func(string) error {
	first := true
	return func(text string) error {
		if first {
			*dst, first = nil, false
		}
		g, err := parseGroup(text)
		*dst = append(*dst, g)
		return err
	}
}

// parseGroup reads NAMES:HOW.
func parseGroup(text string) (g Group, err error) {
	names, how, ok := strings.Cut(text, ":")
	if g.Params = words(names); !ok || len(g.Params) == 0 {
		return g, errors.Errorf("%q: it must be names and how they are trained, such as 'dense0:frozen'", text)
	}
	for _, word := range words(how) {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case word == "frozen":
			g.Frozen = true
		case key == "rule" && value != "":
			g.Rule = value
		case key == "rate":
			rate, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return g, errors.Errorf("%q: the rate %q is no number", text, value)
			}
			g.Rate = &rate
		default:
			return g, errors.Errorf("%q: %q is none of frozen, rate=FACTOR and rule=NAME", text, word)
		}
	}
	return g, nil
}

// words are the parts between commas.
func words(text string) (all []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// String is the group as the flag has it.
func (g Group) String() string {
	var how []string
	if g.Frozen {
		how = append(how, "frozen")
	}
	if g.Rule != "" {
		how = append(how, "rule="+g.Rule)
	}
	if g.Rate != nil {
		how = append(how, "rate="+strconv.FormatFloat(*g.Rate, 'g', -1, 64))
	}
	return strings.Join(g.Params, ",") + ":" + strings.Join(how, ",")
}

// check reports a group that says nothing, or too much.
func (g Group) check() error {
	switch {
	case !g.Frozen && g.Rule == "" && g.Rate == nil:
		return errors.New("it says nothing of how they are trained: frozen, rate=FACTOR or rule=NAME")
	case g.Frozen && (g.Rule != "" || g.Rate != nil):
		return errors.New("frozen parameters have neither rule nor rate")
	case g.Rate != nil && !(*g.Rate > 0 && *g.Rate <= cli.MostWeight):
		return errors.Errorf("the rate %v must be above 0 and at most %v", *g.Rate, cli.MostWeight)
	}
	return nil
}

// made is the group with its optimizer. The rest has the rate lr and the settings.
func (g Group) made(s *Settings, lr float64, settings []byte) (trainers.Group, error) {
	if err := g.check(); err != nil || g.Frozen {
		return trainers.Group{Params: g.Params, Frozen: g.Frozen}, err
	}
	name := s.Optimizer
	if g.Rule != "" {
		var err error
		if lr, err = trainers.DefaultRate(g.Rule); err != nil {
			return trainers.Group{}, err
		}
		name, settings = g.Rule, nil
	}
	if g.Rate != nil {
		lr *= *g.Rate
	}
	o, err := trainers.NewOptimizer(name, lr, settings)
	return trainers.Group{Params: g.Params, Optimizer: o}, err
}

// grouped is an optimizer with the groups of -group, if there are any.
func (s *Settings) grouped(rest trainers.Optimizer, settings []byte) (trainers.Optimizer, error) {
	if len(s.Groups) == 0 {
		return rest, nil
	}
	var all []trainers.Group
	for _, g := range s.Groups {
		made, err := g.made(s, rest.LearningRate(), settings)
		if err != nil {
			return nil, errors.WithMessagef(err, "-group %v", g)
		}
		all = append(all, made)
	}
	o := trainers.Groups(rest, all...)
	return o, errors.WithMessage(o.Validate(), "-group")
}

// checkGroups reports groups that do not fit a model, whose trainer could not be made.
func checkGroups(o trainers.Optimizer, params []*graph.Param) error {
	groups, ok := o.(*group.Config)
	if !ok {
		return nil
	}
	_, err := groups.Freezes(params)
	return errors.WithMessage(err, "-group")
}
