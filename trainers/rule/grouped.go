package rule

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/schedule"
)

// Grouped is an Optimizer whose parameters are in groups, each with a learning rate and a
// schedule of its own. Package group has one.
type Grouped interface {
	Optimizer
	// GroupsOf has the groups of the learned parameters. The error says what of the
	// optimizer does not fit them.
	GroupsOf(params []*graph.Param) (*Groups, error)
	// Freezes says which parameters of the model stay as they are. It is asked before the rule
	// is started, which gets the others alone, and reports what does not fit the model.
	Freezes(model []*graph.Param) (frozen func(p *graph.Param) bool, err error)
}

// Groups are groups of parameters, counted from 0 without gaps.
type Groups struct {
	Of        []int               // the group of each parameter
	Rates     []float64           // the learning rate at the start of each group
	Schedules []schedule.Schedule // a factor on the rate of each group beside the training's
	Defaults  Defaults            // those of Optimizer, without groups that have no parameters
}

// GroupsOf has the groups of an optimizer: all parameters are one group where it is not
// Grouped.
func GroupsOf(o Optimizer, params []*graph.Param) (*Groups, error) {
	if g, ok := o.(Grouped); ok {
		return g.GroupsOf(params)
	}
	return &Groups{Of: make([]int, len(params)), Rates: []float64{o.LearningRate()}, Schedules: make([]schedule.Schedule, 1), Defaults: o.Defaults()}, nil
}

// Freeze marks the parameters of a model that a Grouped optimizer freezes, and leaves blocks
// of the others.
func Freeze(o Optimizer, params []*graph.Param, blocks []graph.Block) ([]*graph.Param, []graph.Block, error) {
	g, ok := o.(Grouped)
	if !ok {
		return params, blocks, nil
	}
	frozen, err := g.Freezes(params)
	if err != nil {
		return nil, nil, err
	}
	params, blocks = graph.Freeze(params, blocks, frozen)
	return params, blocks, errors.WithMessagef(graph.CheckParams(params), "trainers: %s", o.Name())
}
