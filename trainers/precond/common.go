package precond

import (
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// common is what the updates of this package have in common.
type common struct {
	rule.Decayed
	task      *rule.Task
	params    []*graph.Param
	blocks    []*block
	precision *precision.Precision
}

// keep has the arrays of a new block kept as the training does.
func (u *common) keep(b *block) {
	u.precision.KeepStored(precision.Phi, b.p.Factors()...)
	if b.m != nil {
		u.precision.Keep(precision.Momentum, b.m)
	}
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

// Hyperparameters are none.
func (u *common) Hyperparameters() map[string]float64 { return nil }

func (u *common) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for _, b := range u.blocks {
		if b.m != nil {
			all = append(all, checkpoint.NamedTensor{Name: b.Name + "/m", Value: b.m})
		}
	}
	return all
}

// Bound rounds P where it is kept in 16 bits. It follows each change of P.
func (u *common) Bound() {
	for _, b := range u.blocks {
		u.precision.Round(precision.Phi, b.p.Factors()...)
	}
}

func (u *common) Fallbacks() int { return 0 }

func (u *common) Iterates() rule.Iterates { return nil }

func (u *common) Replaced() {}

func (u *common) Graphs() rule.Graphs { return nil }

func (u *common) Rates(int, float64) []float64 { return nil }
