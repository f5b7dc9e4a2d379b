// Package methods has the optimizers of the benchmarks with their search spaces
// and the settings that were found in them.
//
// A search space is a JSON file in the folder spaces, a list of hyperparameters
// each with a default and a range, choices or neither. The winners of a search
// are files in the folder tuned, one for each experiment and scale.
//
//	m, err := methods.Get("adam")
//	values, source, err := m.Settings("fig3-parkinsons", "small")
//	optimizer, options, err := m.Build(values, methods.Run{Steps: 1000})
package methods
