// Package mlflow writes the statistics of training steps as a run of MLflow, in the files
// of its file store. MLflow itself is not needed for that.
//
//	tr, err := trainers.New(model, loss, optimizer)
//	err = tr.Load("checkpoint") // where there is one
//	log, err := mlflow.Open(mlflow.Config{Folder: "mlruns", Experiment: "mnist", Run: "sgdm"}, tr.Steps())
//	err = tr.SetRecorder(log)
//	...
//	err = log.Scalar("test_accuracy", tr.Steps()-1, accuracy)
//	err = log.Flush() // before each tr.Save
//	...
//	log.Finish()
//	err = log.Close()
//
// The command
//
//	mlflow ui --backend-store-uri mlruns
//
// shows the store, while the run goes on too. From version 3.13 on it asks for the
// environment variable MLFLOW_ALLOW_FILE_STORE=true, or for a database, which mlflow
// migrate-filestore makes of the store.
//
// A run is the folder EXPERIMENT/RUN of the store, with a number as the experiment's name and
// the hash of its names as the run's. It has meta.yaml; metrics/NAME, where each line is
// milliseconds since 1970, value and step; params/NAME and tags/NAME; and artifacts/, with
// the pictures. The names of the metrics are those of Stats.Scalars, with an underscore for
// what MLflow does not allow.
package mlflow
