// Package experiments has the experiments of the paper, each a file: data,
// model, loss and, for each scale, sizes and steps.
//
//	e, err := experiments.Get("fig3-parkinsons")
//	config := e.Scales[experiments.Small]
//	problem, err := e.Problem(ctx, config)
//	tr, err := trainers.New(e.Model(config), e.Loss, trainers.Adam(1e-3))
package experiments
