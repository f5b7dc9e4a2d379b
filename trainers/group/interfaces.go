package group

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Rows are those of the only group.
func (r *groups) Rows() graph.RowReader {
	if !r.alone() {
		return nil
	}
	return r.parts[0].rule.Rows()
}

// Graphs are those of all groups.
func (r *groups) Graphs() rule.Graphs {
	var all graphs
	for _, p := range r.parts {
		if g := p.rule.Graphs(); g != nil {
			all = append(all, g)
		}
	}
	if all == nil {
		return nil
	}
	return all
}

type graphs []rule.Graphs

func (all graphs) Prepare(batch graph.Batch) error {
	for _, g := range all {
		if err := g.Prepare(batch); err != nil {
			return err
		}
	}
	return nil
}

// Iterates are those of the groups that have some; the others are evaluated at θ.
func (r *groups) Iterates() rule.Iterates {
	for _, p := range r.parts {
		if p.rule.Iterates() != nil {
			return iterates{r}
		}
	}
	return nil
}

type iterates struct{ rule *groups }

func (k iterates) Moved(in rule.Input, rates []float64) error {
	for _, p := range k.rule.parts {
		it := p.rule.Iterates()
		if it == nil {
			continue
		}
		p.moving = pick(p.moving, rates, p.index)
		if err := it.Moved(p.input(in, k.rule.alone()), p.moving); err != nil {
			return err
		}
	}
	return nil
}

func (k iterates) Evaluated(to []*tensor.Dense) {
	for _, p := range k.rule.parts {
		var own []*tensor.Dense
		for _, i := range p.index {
			own = append(own, to[i])
		}
		if it := p.rule.Iterates(); it != nil {
			it.Evaluated(own)
			continue
		}
		for j, q := range p.params {
			array.Copy(own[j], q.Value)
		}
	}
}
