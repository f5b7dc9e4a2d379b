package main

import (
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/layers"
)

// models lists the nets.
func models() string { return strings.Join(layers.ImageModels(), ", ") }

func (s settings) model() (*layers.Model, error) {
	set, err := s.dataSet()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(layers.ImageModels(), s.Model) {
		return nil, errors.Errorf("-model %q: it must be one of %s", s.Model, models())
	}
	return layers.ImageModel(s.Model, set.classes)
}
