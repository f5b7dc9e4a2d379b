package experiments

import "github.com/apo-gorgonia/apo/trainers/datasets"

var slice = uci("slice", "UCI Relative Location of CT Slices on Axial Axis, 53500 rows of 385 inputs", 385, 500*535, datasets.Slice)
