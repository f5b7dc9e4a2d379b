package precond

import "github.com/apo-gorgonia/apo/trainers/rule"

// noRows is the reason that a weight matrix is not learned as one.
const noRows = "its gradient is no sum of products of a layer's inputs and output gradients"

// Notes lists the blocks that have another form than a weight matrix, and those that
// have that of a weight matrix in vain.
func (u *update[T]) Notes() []string {
	var diagonal, multiple rule.Simplified
	note := ""
	for i, b := range u.blocks {
		lost := u.lost != nil && u.lost[i]
		switch {
		case b.rowless:
			multiple.Add(b.Block, u.task.Reason(b.Block, noRows))
			continue
		case lost:
			diagonal.Add(b.Block, u.task.Reason(b.Block, noRows))
		case !b.Matrix && b.Form.Note() != "":
			diagonal.Add(b.Block, u.task.Reason(b.Block, rule.NoMatrix))
		default:
			continue
		}
		note = b.Form.Note()
	}
	return append(diagonal.Lines(u.c.Name(), note), multiple.Lines(u.c.Name(), "a multiple of the identity")...)
}
