package methods_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// A method has a search space with defaults and makes an optimizer from
// hyperparameters.
func ExampleGet() {
	m, err := methods.Get("sgdm")
	if err != nil {
		fmt.Println(err)
		return
	}
	values, source, err := m.Settings(methods.Search{Experiments: []string{"an experiment that was not tuned"}, Scale: "small"})
	if err != nil {
		fmt.Println(err)
		return
	}
	optimizer, _, err := m.Build(values, methods.Run{Steps: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Label, values, source)
	fmt.Println(optimizer.Name(), optimizer.LearningRate())
	// Output:
	// SGDm map[lr:0.01] default
	// sgdm 0.01
}

// All lists the methods in the order of the report's tables.
func ExampleAll() {
	for _, m := range methods.All() {
		if m.Family == "" {
			fmt.Println(m.Name)
		}
	}
	// Output:
	// shampoo
	// kfac
	// ekfac
	// schedule-free-sgd
	// schedule-free-adamw
	// prodigy
	// prodigy-cosine
	// dadapt-adam
	// dadapt-adam-cosine
	// dog
	// mechanic-adamw
	// mechanic-adamw-cosine
	// mechanic-nadamw
	// mechanic-nadamw-cosine
	// sgd-hd
	// sgd-hd-cosine
	// adam-hd
	// adam-hd-cosine
	// hdm-hb
	// hdm-hb-cosine
	// soap
	// soap-cosine
	// muon
	// muon-cosine
	// psgd-kron
	// psgd-kron-cosine
	// singd
	// singd-cosine
	// precond
	// precond-default
	// precond-found
	// precond-plain
	// precond-above
}
