// Package peers times a training step of this library side by side with other
// libraries that the machine has: one net, one batch size, one optimizer, the
// sides in turn and each in a process of its own, so that they share the
// machine's good and bad moments and never run at once.
//
// torch_rules.py is the other comparison: it writes the weights that
// PyTorch's optimizers reach, which package trainers is tested against.
package peers
