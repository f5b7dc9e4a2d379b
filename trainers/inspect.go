package trainers

// LastGradient is g = ∇J_B(θ) of the last step, one array for each parameter
// that is learned; nil before the first step. The next step overwrites the arrays.
func (t *Trainer) LastGradient() []NamedTensor {
	if t.engine.orEmpty().base == nil {
		return nil
	}
	g, err := t.engine.base.Grads()
	if err != nil {
		return nil // the gradient graph never ran
	}
	all := make([]NamedTensor, len(g))
	for i, p := range t.engine.Task.Params {
		all[i] = NamedTensor{Name: p.Name, Value: g[i]}
	}
	return all
}

// LastMetaGradient is ∂Q/∂φ of the last meta-step, at the φ before it moved,
// one array for each of Phi; nil before the first meta-step and for learners that
// do not descend it, such as Calibrated. ClipMeta's limit has been applied. The
// next meta-step overwrites the arrays.
func (t *Trainer) LastMetaGradient() []NamedTensor {
	e := t.engine.orEmpty()
	if e.learner == nil {
		return nil
	}
	g := e.learner.MetaGradient()
	if g == nil {
		return nil
	}
	all := e.Update.Phi()
	for i := range all {
		all[i].Value = g[i]
	}
	return all
}

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
