// Package peers compares the time and memory of training steps with those of
// PyTorch, if it is installed, and of other Go libraries.
//
// All sides train the same net, with the same number of parameters, batch size and
// optimizer. Each side runs in a process of its own, and the sides take turns:
// they never run at once, slow phases of the machine affect all of them, and the
// peak of a process's resident memory belongs to one side.
//
// torch_nets.py defines the nets for images in PyTorch and torch_step.py measures them;
// torch_kfac.py has KFAC.
// torch_text_net.py has the Transformer, torch_text_step.py measures its training and
// torch_translate.py its beam search.
// torch_train.py trains them from given weights, so that a test can compare losses
// and weights. torch_rules.py and torch_images.py compute reference values of
// PyTorch's optimizers and image operations for the tests of trainers and apoops.
//
// The folder others is a module of its own, which measures other Go libraries on given
// weights; others.go builds and starts it.
//
//	code := peers.Run(ctx, []string{"-only", "lenet", "-rounds", "1"}, os.Stdout, os.Stderr)
package peers
