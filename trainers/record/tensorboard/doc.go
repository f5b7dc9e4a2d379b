// Package tensorboard writes the statistics of training steps as event files, which
// TensorBoard reads while the run goes on.
//
//	tr, err := trainers.New(model, loss, optimizer)
//	err = tr.Load("checkpoint") // where there is one
//	log, err := tensorboard.Open("runs/first", tr.Steps())
//	err = tr.SetRecorder(log)
//	...
//	err = log.Scalar("test/accuracy", tr.Steps()-1, accuracy)
//	err = log.Flush() // before each tr.Save
//
// The names of the curves are those of Stats.Scalars. A run is a folder: the command
//
//	tensorboard --logdir runs
//
// shows all runs below runs. A resumed run goes on in a new file of its folder, and
// TensorBoard drops what the file before has of the steps that are repeated.
//
// A file is a sequence of TFRecords: the length of the data, 8 bytes, its masked CRC-32C,
// the data, and their masked CRC-32C, little-endian. The data of each is a protocol buffer
// tensorboard.Event (tensorboard/compat/proto/event.proto and summary.proto).
package tensorboard
