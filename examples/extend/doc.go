// Package extend adds to the library from outside. It is a module of its own, so it
// can use nothing but what the library exports:
//
//	adagrad.go  an update rule that works element by element, as a rule.Kernel
//	lars.go     an update rule that needs the norms of whole layers, as a rule.Rule
//	swiglu.go   a layer, a gated linear unit
//	swish.go    an op with its gradient
//	register.go makes the rules known to trainers.NewOptimizer
//
// The rules work in Trainer and Wrap. APO learns their learning rates, and a run
// that is loaded from a checkpoint goes on with the same bits. The tests hold this.
//
//	cd examples/extend
//	go test ./...
package extend
