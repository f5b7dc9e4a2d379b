// Package peers measures training steps of this library side by side with other
// libraries that the machine has: the same net with as many parameters, one batch
// size, one optimizer, the sides in turn and each in a process of its own, so that
// they share the machine's good and bad moments and never run at once, and that
// the peak of a process's resident memory is that side's.
//
// torch_nets.py has the nets in PyTorch and torch_step.py measures them;
// torch_train.py trains them from given weights, so that a test can compare losses
// and weights. torch_rules.py and torch_images.py are the other comparisons: they
// write what PyTorch's optimizers and image ops compute, which packages trainers
// and apoops are tested against.
package peers
