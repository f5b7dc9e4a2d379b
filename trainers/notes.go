package trainers

// Notes name the parameters that the optimizer treats in a simpler form than its own,
// with the reason, a line for each reason, such as
//
//	kfac: plain gradient for conv5, conv6: more than 1024 rows or columns (max_dim)
//
// Which layers have no factors in KFAC and EKFAC is known after the first step. After
// Load there is a note where the checkpoint was written in another environment.
//
// For a Trainer made by FromProblem the first lines say where its passes compute
// something else than the user's own machine, see graph.Problem.Notes.
func (t *Trainer) Notes() []string {
	if t.fixed != nil {
		return append(t.fixed.Notes(), t.engine.orEmpty().notes()...)
	}
	return t.engine.orEmpty().notes()
}

// Notes is Trainer.Notes and, before them, what the passes rebuilt from the user's
// graph compute otherwise than the user's own machine, see graph.Problem.Notes.
func (s *Solver) Notes() []string { return append(s.problem.Notes(), s.engine.orEmpty().notes()...) }
