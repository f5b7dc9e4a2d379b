// Package schedule has factors on the learning rate as functions of the step.
//
//	s := schedule.WarmUp(100, schedule.Cosine(1000, 0))
//	s.At(0)   // 0.01
//	s.At(550) // about 0.42
//
// APO learns the rate before the factor: rate(t) = η(t)·s(t). A checkpoint keeps a
// schedule as the text of the call that makes it, so a run is resumed with the
// schedule that it was begun with.
package schedule
