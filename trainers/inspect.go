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
