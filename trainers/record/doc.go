// Package record has the statistics of training steps and writes them to logs.
//
//	tr, err := trainers.New(model, loss, optimizer)
//	err = tr.Load("checkpoint") // where there is one
//	log, _, err := record.OpenJSONL("steps.jsonl", tr.Steps())
//	err = tr.SetRecorder(log)
//	...
//	err = log.Flush() // before each tr.Save
//
// A Trainer gives the Stats of every step to its Recorder: History keeps them in
// memory, JSONL and CSV write them, Every and Multi choose and combine. After a kill
// OpenJSONL and OpenCSV cut the log back to the steps of the checkpoint, so that a
// resumed run leaves the log of a run never stopped.
//
// Packages tensorboard, mlflow and live below this one have Recorders for TensorBoard, for
// MLflow and for the terminal.
package record
