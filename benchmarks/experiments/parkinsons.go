package experiments

import "github.com/apo-gorgonia/apo/trainers/datasets"

var parkinsons = uci("parkinsons", "UCI Parkinsons Telemonitoring, 5875 rows of 20 inputs", 20, 500*58, datasets.Parkinsons)
