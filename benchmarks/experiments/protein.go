package experiments

import "github.com/apo-gorgonia/apo/trainers/datasets"

var protein = uci("protein", "UCI Physicochemical Properties of Protein Tertiary Structure, 45730 rows of 9 inputs", 9, 500*457, datasets.Protein)
