package group

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
	"github.com/apo-gorgonia/apo/trainers/schedule"
)

// part is the rule of one group with its parameters, which are those at index among all.
type part struct {
	number    int    // in Config.Groups, or rest
	name      string // in checkpoints
	optimizer rule.Optimizer
	schedule  schedule.Schedule
	index     []int
	params    []*graph.Param
	rule      rule.Rule
	iteration func(taken int) int // rule.Task.Iteration
	tuned                         // hyperparameters that are learned

	// What the step that is under way has of the group.
	g      []*tensor.Dense
	packed []graph.Packed
	rates  []float64
	moving []float64
}

// groups is the rule of all groups: each treats its part of every step.
type groups struct {
	rule.Base
	parts  []*part
	params []*graph.Param
	dirs   []*tensor.Dense
	tuning *tuning
	search *lineSearch
}

// Start implements rule.Optimizer.
func (c *Config) Start(t *rule.Task) (rule.Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	parts, err := c.partsOf(t.Params)
	if err != nil {
		return nil, err
	}
	roles := rolesOf(t)
	for _, p := range parts {
		p.iteration = t.Iteration
		if p.rule, err = rule.Start(p.optimizer, p.task(t)); err != nil {
			return nil, errors.WithMessagef(err, "trainers: groups: %s", p.title())
		}
		if c.DecayAll {
			continue
		}
		if err := roles.leaveOut(p, p.rule); err != nil {
			return nil, err
		}
	}
	r := &groups{parts: parts, params: t.Params, dirs: make([]*tensor.Dense, len(t.Params))}
	r.tuning, r.search = &tuning{rule: r}, &lineSearch{rule: r, e: make([]*tensor.Dense, len(t.Params))}
	return r, nil
}

// title is what errors call it.
func (p *part) title() string {
	if p.number == rest {
		return "the rest"
	}
	return fmt.Sprintf("group %d", p.number)
}

// task is that of the group alone: other parameters are frozen in its model.
func (p *part) task(t *rule.Task) *rule.Task {
	own := *t
	own.Params = p.params
	mine := make(map[*graph.Param]bool, len(p.params))
	for _, q := range p.params {
		mine[q] = true
	}
	model := t.Model
	if model == nil {
		model = t.Params
	}
	model, own.Blocks = graph.Freeze(model, t.Blocks, func(q *graph.Param) bool { return !mine[q] })
	if t.Model != nil {
		own.Model = model
	}
	return &own
}

// input is the group's part of a step. whole leaves Norm that of all groups, which bounds its
// own.
func (p *part) input(in rule.Input, whole bool) rule.Input {
	if in.G != nil {
		p.g = p.g[:0]
		for _, i := range p.index {
			p.g = append(p.g, in.G[i])
		}
		in.G = p.g
		if !whole {
			in.Norm = math.Sqrt(array.SumSquares(p.g...))
		}
	}
	if in.Packed != nil {
		p.packed = p.packed[:0]
		for _, i := range p.index {
			p.packed = append(p.packed, in.Packed[i])
		}
		in.Packed = p.packed
	}
	if in.Rates != nil {
		p.rates = pick(p.rates, in.Rates, p.index)
		in.Rates = p.rates
	}
	in.Scale = p.scale(in.T-1, in.Scale)
	return in
}

// scale is the schedules' factor at a step, counted from 0 without those that were skipped.
func (p *part) scale(step int, scale float64) float64 {
	return scale * p.schedule.At(p.iteration(step))
}

// pick sets to to the numbers of a group.
func pick(to, all []float64, index []int) []float64 {
	to = to[:0]
	for _, i := range index {
		to = append(to, all[i])
	}
	return to
}

// alone reports whether there is one group, whose part is the whole.
func (r *groups) alone() bool { return len(r.parts) == 1 }

func (r *groups) Directions(in rule.Input) ([]*tensor.Dense, error) {
	for _, p := range r.parts {
		d, err := p.directions(p.input(in, r.alone()))
		if err != nil {
			return nil, err
		}
		for j, i := range p.index {
			r.dirs[i] = d[j]
		}
	}
	return r.dirs, nil
}

// Fused is nil unless all groups have one.
func (r *groups) Fused() rule.Fused {
	for _, p := range r.parts {
		if p.rule.Fused() == nil || p.rule.Iterates() != nil || !r.tuning.all(p) {
			return nil
		}
	}
	return r
}

// Step implements rule.Fused.
func (r *groups) Step(in rule.Input, rates []float64) error {
	if in.Packed == nil {
		if err := rule.CheckGradients(r.params, in.G); err != nil {
			return err
		}
	}
	for _, p := range r.parts {
		p.moving = pick(p.moving, rates, p.index)
		if err := p.rule.Fused().Step(p.input(in, r.alone()), p.moving); err != nil {
			return err
		}
	}
	return nil
}

// TakesPacked implements rule.PackedReader.
func (r *groups) TakesPacked() bool {
	for _, p := range r.parts {
		if f, ok := p.rule.Fused().(rule.PackedReader); !ok || !f.TakesPacked() {
			return false
		}
	}
	return true
}

func (r *groups) StaysFinite(in rule.Input, rates []float64) bool {
	for _, p := range r.parts {
		p.moving = pick(p.moving, rates, p.index)
		if !p.rule.StaysFinite(p.input(in, true), p.moving) {
			return false
		}
	}
	return true
}

func (r *groups) Reach() (most float64) {
	for _, p := range r.parts {
		most = max(most, p.rule.Reach())
	}
	return most
}

func (r *groups) Invalidate() {
	for _, p := range r.parts {
		p.rule.Invalidate()
		p.looked = 0
	}
}

func (r *groups) Replaced() {
	for _, p := range r.parts {
		p.rule.Replaced()
	}
}

func (r *groups) Fallbacks() (n int) {
	for _, p := range r.parts {
		n += p.rule.Fallbacks()
	}
	return n
}

func (r *groups) Notes() (all []string) {
	for _, p := range r.parts {
		all = append(all, p.rule.Notes()...)
	}
	return all
}

// State names the arrays by their group.
func (r *groups) State() (all []checkpoint.NamedTensor) {
	for _, p := range r.parts {
		all = append(all, prefixed(p.name, p.rule.State())...)
	}
	return all
}
