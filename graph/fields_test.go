package graph

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestFieldsOfOtherVersions reads fields that are not there or of another kind.
func TestFieldsOfOtherVersions(t *testing.T) {
	for name, read := range map[string]func(f *fields){
		"missing": func(f *fields) { f.integer("nothing") },
		"integer": func(f *fields) { f.integer("probability") },
		"number":  func(f *fields) { f.number("isTraining") },
		"truth":   func(f *fields) { f.truth("probability") },
		"list":    func(f *fields) { f.integers("probability") },
	} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 3))
		f := fieldsOf(gorgonia.Must(gorgonia.Dropout(x, 0.5)).Op())
		if read(f); f.err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
