// Package experiments has the experiments of the paper.
//
// An Experiment describes a figure or table: the data, the methods, and for each Scale
// a setting (Config). Its Task makes the model, the loss and the examples from the
// setting. An experiment may also have a Computation: a result that is calculated
// without methods, such as Figure 1.
//
// A new experiment is one file and one line in registry.go. No code outside this
// package depends on what an experiment trains or calculates:
//
//	experiment.go   Experiment and its parts
//	config.go       Config, the setting of a run
//	task.go         Task, and the data of a setting
//	dense.go        the task of fully connected nets
//	images.go       the task of nets for images
//	text.go         the task of Transformers that translate
//	computation.go  Computation, and claims that its result decides
//
// An experiment is run in three steps:
//
//	e, err := experiments.Get("fig3-parkinsons")
//	config := e.Scales[experiments.Small]
//	problem, err := e.Problem(ctx, config)
//	model, err := e.Task.Model(config)
//	tr, err := trainers.New(model, e.Task.Loss(), trainers.Adam(1e-3))
package experiments
