package peers

import (
	"cmp"
	"context"
	"math"
	"strings"

	"github.com/pkg/errors"
)

// comparison is one net, which every side trains.
type comparison struct {
	net  string
	size size
	goal goal
}

// size is the length of a comparison. In each round every side takes the warm-up
// steps and then the steps that are timed.
type size struct{ rounds, steps, warmup int }

// goal bounds the ratios of this library's time to that of PyTorch's fastest side, and
// of its memory over base to that of PyTorch's side with the least. alone bounds the ratio
// of its time without other libraries to that with them, and says with -others that it is
// measured. 0 means no goal.
type goal struct{ time, memory, alone float64 }

// comparisons take about forty minutes at these sizes on two cores of 2022.
var comparisons = []comparison{
	{net: mlpNet, size: size{7, 50, 20}, goal: parAndAlone(1.5)},
	{net: "lenet", size: size{7, 100, 20}, goal: parAndAlone(2.5)},
	{net: "alexnet", size: size{7, 15, 5}, goal: equal},
	{net: "vgg16", size: size{7, 2, 1}, goal: equal},
	{net: "resnet8", size: size{7, 20, 5}, goal: parAndAlone(2.5)},
	{net: "resnet18", size: size{7, 2, 1}, goal: equal},
	{net: "resnet32", size: size{7, 5, 2}, goal: equal},
	{net: kfacNet, size: size{7, 1, 1}, goal: goal{time: 1.0}},
	{net: transformerNet, size: size{3, 2, 2}, goal: equal},
	{net: translateNet, size: size{3, 1, 0}, goal: goal{time: 1.0}},
}

// equal is to be no slower than PyTorch, and to need no more memory.
var equal = goal{time: 1.0, memory: 1.0}

func parAndAlone(alone float64) goal {
	g := equal
	g.alone = alone
	return g
}

// rule is the update rule of a net, "" where none is.
func (c comparison) rule(s settings) string {
	switch c.net {
	case translateNet:
		return ""
	case kfacNet:
		return "kfac"
	case transformerNet:
		return "adamw"
	}
	return cmp.Or(s.rule, bySGDm)
}

// find returns the comparison of a net.
func find(net string) (comparison, error) {
	for _, c := range comparisons {
		if c.net == net {
			return c, nil
		}
	}
	return comparison{}, errors.Errorf("no net %q, only %s", net, names())
}

// names lists the nets.
func names() string {
	var all []string
	for _, c := range comparisons {
		all = append(all, c.net)
	}
	return strings.Join(all, ", ")
}

type measureFunc func(ctx context.Context) (measurement, error)

// measureInTurn measures the sides in turn in each round and calls record after
// each measurement. It returns an error if the sides' nets have different numbers
// of parameters, different losses or different translations.
func measureInTurn(ctx context.Context, rounds int, sides []*side, record func(round int, side string, m measurement) error) error {
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
			if !c.ownWeights {
				if err := sameLosses(sides[0].all[0].Losses, m.Losses); err != nil {
					return errors.WithMessagef(err, "not the same training: %s and %s", sides[0].name, c.name)
				}
			}
			if equal := equalTargets(sides[0].all[0].Targets, m.Targets); equal < leastEqual {
				return errors.Errorf("not the same search: %.1f %% of the targets of %s and %s are equal, fewer than %v %%", 100*equal, sides[0].name, c.name, 100*leastEqual)
			}
			if err := record(round, c.name, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameLosses compares the losses of steps from the same weights. Float32 rounds the first
// gradients, and Adam divides each by its size, so that small ones differ.
func sameLosses(a, b []float64) error {
	if len(a) != len(b) {
		return errors.Errorf("%d losses and %d", len(a), len(b))
	}
	for i, v := range a {
		if !(math.Abs(v-b[i]) <= 2e-3*math.Abs(v)) {
			return errors.Errorf("loss %v and %v in step %d", v, b[i], i)
		}
	}
	return nil
}
