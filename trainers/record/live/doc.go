// Package live shows the steps of a training on a terminal while it goes on: loss and
// learning rate as curves of the whole run, the throughput and the time left.
//
//	view := live.New(os.Stderr, live.Config{Title: "mnist", Steps: steps, Examples: 128})
//	tr, err := trainers.New(model, loss, optimizer, trainers.Record(trainers.Multi(log, view)))
//	...
//	err = view.Close()
//
// On a terminal it looks like this, and is drawn again in place up to ten times a second:
//
//	mnist: step 1400 of 5000, 28%
//	loss 0.4321   █▇▅▅▄▄▃▃▂▂▂▂▁▁▁
//	rate 0.0123   ▁▂▃▅▆▇███▇▇▇▆▆▆
//	9800 examples/s, 13.1 ms a step, 47 s left
//
// Elsewhere, as in a pipe or a file, it is a line for each twentieth of the run, or for every
// 100 steps where the length of the run is not known.
package live
