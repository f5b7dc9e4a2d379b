package precond

import "github.com/apo-gorgonia/apo/trainers/rule"

// Notes lists the blocks that have another form than a weight matrix.
func (u *update[T]) Notes() []string {
	var diagonal, multiple rule.Simplified
	note := ""
	for _, b := range u.blocks {
		switch {
		case b.rowless:
			multiple.Add(b.Block, "its gradient is no sum of products of inputs and output gradients")
		case !b.Matrix && b.Form.Note() != "":
			note = b.Form.Note()
			diagonal.Add(b.Block, rule.NoMatrix)
		}
	}
	return append(diagonal.Lines(u.c.Name(), note), multiple.Lines(u.c.Name(), "a multiple of the identity")...)
}
