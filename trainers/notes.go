package trainers

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
