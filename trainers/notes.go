package trainers

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/graph"
)

// Notes tell which parameters the optimizer treats in a simpler form than its own
// and why, a line for each reason, such as
//
//	kfac: plain gradient for conv5, conv6: more than 1024 rows or columns (max_dim)
//
// KFAC and EKFAC know after the first step which layers have no factors. After
// Load there is a note where the checkpoint was written in another environment.
//
// Of FromProblem's graph they tell first what its passes compute otherwise than the
// user's own machine, see graph.Problem.Notes.
func (t *Trainer) Notes() []string {
	if t.fixed != nil {
		return append(t.fixed.Notes(), t.engine.orEmpty().notes()...)
	}
	return t.engine.orEmpty().notes()
}

// Notes is Trainer.Notes and, before them, what the passes rebuilt from the user's
// graph compute otherwise than the user's own machine, see graph.Problem.Notes.
func (s *Solver) Notes() []string { return append(s.problem.Notes(), s.engine.orEmpty().notes()...) }

// simplified collects blocks by reason, in the order in which reasons come up.
type simplified struct {
	reasons []string
	blocks  map[string][]string
}

func (s *simplified) add(b graph.Block, reason string) {
	if s.blocks == nil {
		s.blocks = make(map[string][]string)
	}
	if s.blocks[reason] == nil {
		s.reasons = append(s.reasons, reason)
	}
	s.blocks[reason] = append(s.blocks[reason], b.Name)
}

// lines are the notes of an optimizer that takes form for these blocks.
func (s *simplified) lines(optimizer, form string) []string {
	var all []string
	for _, reason := range s.reasons {
		all = append(all, fmt.Sprintf("%s: %s for %s: %s", optimizer, form, strings.Join(s.blocks[reason], ", "), reason))
	}
	return all
}

// tooLarge tells whether a matrix has more rows or columns than maxDim, 0 for no
// limit.
func tooLarge(b graph.Block, maxDim int) bool { return maxDim > 0 && max(b.Rows, b.Cols) > maxDim }

const noMatrix = "no weight matrix"

func beyond(maxDim int) string { return fmt.Sprintf("more than %d rows or columns (max_dim)", maxDim) }

// defaultMaxDim lets the widest layers of ResNet-18 and VGG16 (4609 rows) have
// their matrices.
const defaultMaxDim = 5000
