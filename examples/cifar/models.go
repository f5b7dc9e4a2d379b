package main

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// models are the nets, for images of 3×32×32.
var models = map[string]func(s settings, classes int) graph.Model{
	"mlp": func(_ settings, classes int) graph.Model {
		return layers.Sequential(flat{}, layers.Dense(3072, 64, apoops.ReLUAct), layers.Dense(64, classes, apoops.Identity))
	},
}

func (s settings) model() (graph.Model, error) {
	set, err := s.dataSet()
	if err != nil {
		return nil, err
	}
	build, ok := models[s.Model]
	if !ok {
		return nil, errors.Errorf("-model %q: it must be one of %s", s.Model, names(models))
	}
	return build(s, set.classes), nil
}
