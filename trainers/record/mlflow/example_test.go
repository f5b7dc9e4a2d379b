package mlflow_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/record/mlflow"
)

func ExampleOpen() {
	store, err := os.MkdirTemp("", "mlruns")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(store)
	log, err := mlflow.Open(mlflow.Config{Folder: store, Experiment: "mnist", Run: "sgdm", Params: map[string]string{"batch": "128"}}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := log.Record(record.Stats{Step: 0, Loss: 2.303, Rates: []float64{0.1}}); err != nil {
		fmt.Println(err)
	}
	log.Finish()
	if err := log.Close(); err != nil {
		fmt.Println(err)
	}
	for _, kind := range []string{"metrics", "params"} {
		entries, err := os.ReadDir(filepath.Join(log.Folder(), kind))
		for _, e := range entries {
			fmt.Println(kind, e.Name(), err)
		}
	}
	// Output:
	// metrics loss <nil>
	// metrics rate <nil>
	// metrics seconds <nil>
	// params batch <nil>
}
