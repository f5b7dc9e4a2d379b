package datasets

import (
	"context"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"gorgonia.org/tensor"
)

var protein = tableSet{
	set: set{title: "Protein", name: "protein", folders: []string{"uci/protein", ""}},
	file: file{
		name:     "CASP.csv",
		archives: []string{"physicochemical+properties+of+protein+tertiary+structure.zip"},
		size:     3528710,
		sum:      "4277cfcb4e91a181746cbc654f001b57951c9e6a80f4f795fdb5c807e0848f40",
		urls: []string{
			"https://archive.ics.uci.edu/ml/machine-learning-databases/00265/CASP.csv",
			"https://archive.ics.uci.edu/static/public/265/physicochemical+properties+of+protein+tertiary+structure.zip",
		},
	},
	target: "RMSD",
	inputs: 9,
}

var parkinsons = tableSet{
	set: set{title: "Parkinsons", name: "parkinsons", folders: []string{"uci/parkinsons", ""}},
	file: file{
		name:     "parkinsons_updrs.data",
		archives: []string{"parkinsons+telemonitoring.zip"},
		size:     911261,
		sum:      "f2c7d5025dec4e92e7feae367a5f7ccf58789a10ac6b54bdf15976c599f9dd39",
		urls: []string{
			"https://archive.ics.uci.edu/ml/machine-learning-databases/parkinsons/telemonitoring/parkinsons_updrs.data",
			"https://archive.ics.uci.edu/static/public/189/parkinsons+telemonitoring.zip",
		},
	},
	target: "total_UPDRS",
	drop:   "motor_UPDRS",
	inputs: 20,
}

var slice = tableSet{
	set: set{
		title:   "Slice",
		name:    "slice",
		folders: []string{"uci/slice", ""},
		note:    "the full file of 53500 rows is needed, an excerpt is not taken for it",
	},
	file: file{
		name: "slice_localization_data.csv",
		archives: []string{
			"slice_localization_data.zip",
			"relative+location+of+ct+slices+on+axial+axis.zip",
		},
		rows: 53500,
		most: 128 << 20,
		urls: []string{
			"https://archive.ics.uci.edu/ml/machine-learning-databases/00206/slice_localization_data.zip",
			"https://archive.ics.uci.edu/static/public/206/relative+location+of+ct+slices+on+axial+axis.zip",
		},
	},
	target: "reference",
	inputs: 385,
}

// Protein returns all 45730 examples of the UCI set "Physicochemical Properties
// of Protein Tertiary Structure" (file CASP.csv): X is 45730×9, the columns F1
// to F9, T is 45730×1, the column RMSD. All columns are standardised to mean 0
// and variance 1 over these rows, which are in the published order.
//
// The errors are those of MNIST.
func Protein(ctx context.Context, dtype tensor.Dtype, opts ...Option) (batch.Data, error) {
	return protein.load(ctx, dtype, opts)
}

// Parkinsons returns all 5875 examples of the UCI set "Parkinsons
// Telemonitoring" (file parkinsons_updrs.data): X is 5875×20, all columns but
// the two scores, the subject's number among them; T is 5875×1, the column
// total_UPDRS. All columns are standardised to mean 0 and variance 1 over
// these rows, which are in the published order.
//
// The errors are those of MNIST.
func Parkinsons(ctx context.Context, dtype tensor.Dtype, opts ...Option) (batch.Data, error) {
	return parkinsons.load(ctx, dtype, opts)
}

// Slice returns all 53500 examples of the UCI set "Relative location of CT
// slices on axial axis" (file slice_localization_data.csv, also in its zip
// archive): X is 53500×385, the patient's number and 384 histogram values; T is
// 53500×1, the column reference. All columns are standardised to mean 0 and
// variance 1 over these rows, which are in the published order; a column of a
// single value becomes 0.
//
// No checksum of the file is published, so it is accepted if it has all 53500
// rows. Otherwise the errors are those of MNIST.
func Slice(ctx context.Context, dtype tensor.Dtype, opts ...Option) (batch.Data, error) {
	return slice.load(ctx, dtype, opts)
}
