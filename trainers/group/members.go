package group

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// rest is the number of the group that parameters without another are in.
const (
	rest     = -1
	restName = "rest"
)

// matches tells whether a name is one of a pattern. path.Match has no * for a /.
func matches(pattern, name string) (bool, error) {
	flat := strings.NewReplacer("/", "\x00")
	return path.Match(flat.Replace(pattern), flat.Replace(name))
}

// Freezes says of each parameter that learns whether it is of a Frozen group. Here, where all
// parameters are, patterns and kinds that choose none are reported, and parameters in two
// groups.
func (c *Config) Freezes(model []*graph.Param) (func(p *graph.Param) bool, error) {
	params := graph.Learned(model)
	of, err := c.membersOf(params)
	if err != nil {
		return nil, err
	}
	frozen := map[*graph.Param]bool{}
	for i, p := range params {
		frozen[p] = of[i] != rest && c.Groups[of[i]].Frozen
	}
	for k, g := range c.Groups {
		if err := g.choosesSome(params); err != nil {
			return nil, errors.WithMessagef(err, "trainers: groups: group %d", k)
		}
	}
	return func(p *graph.Param) bool { return frozen[p] }, nil
}

// membersOf is the number in Groups of each parameter's group, or rest.
func (c *Config) membersOf(params []*graph.Param) ([]int, error) {
	of := make([]int, len(params))
	for i, p := range params {
		of[i] = rest
		for k, g := range c.Groups {
			if !g.has(p) {
				continue
			}
			if of[i] != rest {
				return nil, errors.Errorf("trainers: groups: parameter %q is in the groups %d and %d", p.Name, of[i], k)
			}
			of[i] = k
		}
	}
	return of, nil
}

func (g Group) has(p *graph.Param) bool {
	return p.Kind != "" && slices.Contains(g.Kinds, p.Kind) ||
		slices.ContainsFunc(g.Params, func(pattern string) bool {
			ok, err := matches(pattern, p.Name)
			return ok && err == nil
		})
}

// choosesSome reports a pattern or a kind that chooses no parameter.
func (g Group) choosesSome(params []*graph.Param) error {
	var names, kinds []string
	for _, p := range params {
		names = append(names, p.Name)
		if p.Kind != "" {
			kinds = append(kinds, p.Kind)
		}
	}
	for _, pattern := range g.Params {
		if !slices.ContainsFunc(params, Group{Params: []string{pattern}}.has) {
			return errors.Errorf("no parameter that learns is named %q: there are %s", pattern, strings.Join(names, ", "))
		}
	}
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	for _, kind := range g.Kinds {
		switch {
		case kinds == nil:
			return errors.Errorf("kind %q: the parameters of this model have no kinds of layers: choose them by name", kind)
		case !slices.Contains(kinds, kind):
			return errors.Errorf("no parameter that learns is of a layer of kind %q: there are %s", kind, strings.Join(kinds, ", "))
		}
	}
	return nil
}

// GroupsOf implements rule.Grouped. The rest, where there is one, is group 0; those of Groups
// that learn follow in their order. Parameters of APO-Precond are in none, -1.
func (c *Config) GroupsOf(params []*graph.Param) (*rule.Groups, error) {
	all, err := c.partsOf(params)
	if err != nil {
		return nil, err
	}
	g := &rule.Groups{Of: make([]int, len(params))}
	var optimizers []rule.Optimizer
	for _, p := range all {
		optimizers = append(optimizers, p.optimizer)
		k := -1
		if !learnsP(p.optimizer) {
			k = len(g.Rates)
			g.Rates, g.Schedules = append(g.Rates, p.optimizer.LearningRate()), append(g.Schedules, p.schedule)
		}
		for _, i := range p.index {
			g.Of[i] = k
		}
	}
	if optimizers != nil {
		g.Defaults = defaults(optimizers)
	}
	return g, nil
}

// partsOf are the groups that have parameters, the rest first.
func (c *Config) partsOf(params []*graph.Param) ([]*part, error) {
	of, err := c.membersOf(params)
	if err != nil {
		return nil, err
	}
	var all []*part
	for k := rest; k < len(c.Groups); k++ {
		p := &part{number: k, name: restName, optimizer: c.Rest}
		var frozen bool
		if k != rest {
			g := c.Groups[k]
			p.name, p.optimizer, p.schedule, frozen = "group"+strconv.Itoa(k), c.optimizer(g), g.Schedule, g.Frozen
		}
		for i, q := range params {
			if of[i] == k {
				p.index, p.params = append(p.index, i), append(p.params, q)
			}
		}
		switch {
		case p.index == nil:
		case frozen:
			return nil, errors.Errorf("trainers: groups: group %d is frozen, but %q is to learn", k, p.params[0].Name)
		default:
			all = append(all, p)
		}
	}
	return all, nil
}
