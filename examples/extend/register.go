package extend

import (
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Register adds the update rules to those that trainers.NewOptimizer makes by name,
// with their default learning rates. A program calls it once, before it reads flags.
func Register() error {
	if err := trainers.RegisterOptimizer("adagrad", 0.01, func(lr float64) rule.Optimizer { return Adagrad(lr) }); err != nil {
		return err
	}
	return trainers.RegisterOptimizer("lars", 1, func(lr float64) rule.Optimizer { return LARS(lr) })
}
