package experiments

import "slices"

// rivals are the methods of the figures that compare preconditioners.
var rivals = []string{"sgdm", "adam", "shampoo", "kfac", "ekfac", "precond", "precond-above"}

// The paper's order.
func init() {
	Register(fig1)
	Register(protein)
	Register(parkinsons)
	Register(slice)
	Register(illConditioned("6", illConditioned6))
	Register(illConditioned("32", illConditioned32))
	Register(autoencoder)
	Register(mnistRates)
	for _, e := range slices.Concat(table2Rows(), table4Columns(), fig5()) {
		Register(e)
	}
	Register(costAutoencoder)
	Register(costMLP)
}
