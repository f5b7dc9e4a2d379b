package precond

import (
	"slices"

	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Notes lists the blocks that have a form for want of a better one. A weight matrix
// that got it by the option Blocks is not among them.
func (u *plainUpdate[T]) Notes() []string {
	var all []string
	if u.note != "" {
		all = append(all, u.note)
	}
	for _, note := range u.formNotes() {
		var s rule.Simplified
		for _, b := range u.blocks {
			switch {
			case b.Form.Note() != note:
			case rule.TooLarge(b.Block, u.c.MaxDim):
				s.Add(b.Block, rule.Beyond(u.c.MaxDim))
			case !b.Matrix:
				s.Add(b.Block, u.task.Reason(b.Block, rule.NoMatrix))
			}
		}
		all = append(all, s.Lines(u.c.Name(), note)...)
	}
	return all
}

// formNotes are the notes of the blocks' forms, each once.
func (u *plainUpdate[T]) formNotes() []string {
	var all []string
	for _, b := range u.blocks {
		if note := b.Form.Note(); note != "" && !slices.Contains(all, note) {
			all = append(all, note)
		}
	}
	return all
}
