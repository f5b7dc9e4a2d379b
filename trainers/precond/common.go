package precond

import (
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// common is what the updates of this package have in common.
type common struct {
	params []*graph.Param
	blocks []*block
}

// Lookahead is θ' = θ - P·G as a graph.
func (u *common) Lookahead() graph.Lookahead { return graph.PrecondLookahead{Blocks: u.RowBlocks()} }

// RowBlocks implements graph.RowReader.
func (u *common) RowBlocks() []graph.Block {
	all := make([]graph.Block, len(u.blocks))
	for i, b := range u.blocks {
		all[i] = b.Block
	}
	return all
}

func (u *common) Phi() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for _, b := range u.blocks {
		all = append(all, b.factors...)
	}
	return all
}

func (u *common) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for _, b := range u.blocks {
		if b.m != nil {
			all = append(all, checkpoint.NamedTensor{Name: b.Name + "/m", Value: b.m})
		}
	}
	return all
}

func (u *common) Bound() {}

func (u *common) Fallbacks() int { return 0 }

func (u *common) Graphs() rule.Graphs { return nil }

func (u *common) Rates(int, float64) []float64 { return nil }
