package app

import (
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/group"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// TestParseGroup writes what it has read as the flag has it.
func TestParseGroup(t *testing.T) {
	for text, want := range map[string]string{
		"dense0:frozen": "dense0:frozen", " conv*, bn* : rate=0.5 ": "conv*,bn*:rate=0.5", "a/*:rate=2,rule=adamw": "a/*:rule=adamw,rate=2", "a:": "a:",
	} {
		if g, err := parseGroup(text); err != nil || g.String() != want {
			t.Errorf("%q: %q, %v", text, g, err)
		}
	}
	for text, says := range map[string]string{
		"": "names", "dense0": "names", ":frozen": "names", " , :frozen": "names", "a:cold": `"cold"`, "a:rate": `""`, "a:rate=x": `"x"`, "a:rule=": `"rule="`, "a:frozen=1": `"frozen=1"`,
	} {
		if _, err := parseGroup(text); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

// TestGroupsOfFlags: the flags of a resumed run replace its groups.
func TestGroupsOfFlags(t *testing.T) {
	groups := []Group{{Params: []string{"old"}, Frozen: true}}
	parse := parseGroups(&groups)
	for _, text := range []string{"a:frozen", "b:rate=2"} {
		if err := parse(text); err != nil {
			t.Fatal(err)
		}
	}
	if len(groups) != 2 || groups[0].String() != "a:frozen" || groups[1].String() != "b:rate=2" {
		t.Errorf("%v", groups)
	}
}

// TestGrouped has the rates and settings of groups.
func TestGrouped(t *testing.T) {
	s := Defaults("none")
	half := 0.5
	s.Groups = []Group{{Params: []string{"a"}, Rate: &half}, {Params: []string{"b"}, Rule: "adamw", Rate: &half}, {Params: []string{"c"}, Frozen: true}}
	settings := []byte(`{"momentum": 0.8}`)
	rest, err := trainers.NewOptimizer("sgdm", 0.3, settings)
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.grouped(rest, settings)
	if err != nil {
		t.Fatal(err)
	}
	c := o.(*group.Config)
	first, ok := c.Groups[0].Optimizer.(*rule.SGDConfig)
	if !ok || first.LR != 0.15 || first.Momentum != 0.8 || c.Groups[1].Optimizer.Name() != "adamw" || c.Groups[1].Optimizer.LearningRate() != 0.0005 {
		t.Errorf("%+v, %+v", c.Groups[0].Optimizer, c.Groups[1].Optimizer)
	}
	if !c.Groups[2].Frozen || c.Groups[2].Optimizer != nil || c.Rest != rest {
		t.Errorf("%+v", c)
	}
	for says, g := range map[string]Group{
		"nothing": {Params: []string{"x"}}, "neither": {Params: []string{"x"}, Frozen: true, Rule: "sgd"}, "lion": {Params: []string{"x"}, Rule: "lion"},
		"above 0": {Params: []string{"x"}, Rate: new(float64)}, "malformed": {Params: []string{"["}, Frozen: true},
	} {
		s.Groups = []Group{g}
		if _, err := s.grouped(rest, nil); err == nil || !strings.HasPrefix(err.Error(), "-group") || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", g, err, says)
		}
	}
}

// TestRateAdvice has the rates of all groups, and -lr only where it sets them all.
func TestRateAdvice(t *testing.T) {
	s, one, two := Defaults("none"), &trainers.RateSearch{Rate: 0.25}, &trainers.RateSearch{Rate: 0.25, Rates: []float64{0.25, 0.5}}
	half := 0.5
	for _, c := range []struct {
		groups []Group
		found  *trainers.RateSearch
		want   string
	}{
		{nil, one, ": -k 0 -lr 0.25 trains at it"},
		{[]Group{{Params: []string{"a"}, Rate: &half}}, two, ", by group 0.25, 0.5: -k 0 -lr 0.25 trains at it"},
		{[]Group{{Params: []string{"a"}, Rule: "adam"}}, two, ", by group 0.25, 0.5"},
	} {
		s.Groups = c.groups
		if got := s.rateAdvice(c.found); got != c.want {
			t.Errorf("%v: %q, want %q", c.groups, got, c.want)
		}
	}
}
