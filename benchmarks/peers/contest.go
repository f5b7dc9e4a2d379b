package peers

import (
	"context"
	"strings"

	"github.com/pkg/errors"
)

// contest is a net that all sides train.
type contest struct {
	net  string
	size size
	goal goal
}

// size is how much of a contest is run: so many rounds, in each of which every
// side times so many steps after some that warm it up.
type size struct{ rounds, steps, warmup int }

// goal is what this library's figures over PyTorch's should be at most; 0 for no
// goal.
type goal struct{ time, memory float64 }

// contests take about five minutes at their own sizes on two cores of 2020.
var contests = []contest{
	{net: "mlp", size: size{5, 50, 20}},
	{net: "lenet", size: size{5, 100, 20}, goal: goal{1.0, 1.3}},
	{net: "alexnet", size: size{5, 30, 5}, goal: goal{1.1, 1.3}},
	{net: "vgg16", size: size{3, 3, 1}, goal: goal{1.1, 1.3}},
	{net: "resnet18", size: size{3, 3, 1}, goal: goal{1.1, 1.3}},
	{net: "resnet32", size: size{3, 8, 2}, goal: goal{1.1, 1.3}},
}

// find is the contest of a net.
func find(net string) (contest, error) {
	for _, c := range contests {
		if c.net == net {
			return c, nil
		}
	}
	return contest{}, errors.Errorf("no contest %q, only %s", net, names())
}

// names lists the contests.
func names() string {
	var all []string
	for _, c := range contests {
		all = append(all, c.net)
	}
	return strings.Join(all, ", ")
}

type measure func(ctx context.Context) (measurement, error)

// compete runs the sides in turn, as often as rounds says, and tells note of each
// measurement. Sides whose nets have different numbers of parameters are an error.
func compete(ctx context.Context, rounds int, sides []*contender, note func(round int, side string, m measurement) error) error {
	for round := range rounds {
		for _, c := range sides {
			m, err := c.run(ctx)
			if err != nil {
				return errors.WithMessage(err, c.name)
			}
			c.all = append(c.all, m)
			if first := sides[0].all[0]; m.Parameters != first.Parameters {
				return errors.Errorf("not the same net: %d parameters in %s, %d in %s", first.Parameters, sides[0].name, m.Parameters, c.name)
			}
			if err := note(round, c.name, m); err != nil {
				return err
			}
		}
	}
	return nil
}
