// Package group has groups of parameters, each with an update rule, a learning rate, a weight
// decay and a schedule of its own, or frozen. trainers.Groups makes them.
//
// For a parameter θ_i of group k, with the direction d_i of that group's rule,
//
//	θ_i ← θ_i - s(t)·s_k(t)·η_k·d_i
//
// where s is the training's schedule and s_k the group's. Both count steps that were skipped
// too, as PyTorch's do, which are advanced in each iteration. φ has log η_k of each group. The
// lookahead of a meta-step moves all parameters at once, each by the direction of its own rule,
// so any rules can be mixed. APO-Precond has meta-steps of its own. Rules that sum over
// parameters, such as norms or a distance, do so over their group.
//
//	o := group.New(rule.AdamW(1e-3), // of the rest
//		group.Group{Params: []string{"dense0"}, Frozen: true},
//		group.Group{Kinds: []string{"conv"}, Optimizer: rule.Muon(0.02)})
//	tr, err := trainers.New(model, loss, o)
//
// Parameters are chosen by their names or by the kind of their layer. Those in no group are
// the rest. Weight decay leaves out biases and normalisation: see Config.
package group
