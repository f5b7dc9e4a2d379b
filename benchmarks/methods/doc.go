// Package methods has the optimizers that the benchmarks compare, their search
// spaces, and the hyperparameters that searches found.
//
// Each method is made in one file and registered by one line in registry.go. A search
// space is a JSON file in the folder spaces: a list of hyperparameters, each with a
// default and a range, choices or neither. The folder tuned has the winners of
// searches, one file for each experiment and scale.
//
//	m, err := methods.Get("adam")
//	values, source, err := m.Settings(methods.Search{Experiments: []string{"fig3-parkinsons"}, Scale: "small"})
//	optimizer, options, err := m.Build(values, methods.Run{Steps: 1000})
package methods
