package peers

import (
	"context"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// Both sides find the same targets, some of which end before the largest length.
func TestTransformersTranslateAlike(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("PyTorch not found")
	}
	const net = "translate-tiny"
	s := settings{steps: 1}
	sides, done, err := translateSides(python, net, []int{1}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	ours := &side{name: "ours", run: func(context.Context) (measurement, error) { return measureOurs(net, s, "") }}
	if err := measureInTurn(context.Background(), 1, append([]*side{ours}, sides[0]), ignore); err != nil {
		t.Fatal(err)
	}
	ended, sources := 0, drawSources(net)
	for i, target := range ours.all[0].Targets {
		if len(target) < len(sources[i])+5 {
			ended++
		}
	}
	if n := len(sources); len(ours.all[0].Targets) != n || ended == 0 || ended == n {
		t.Errorf("%d targets, %d of which end, for %d sources", len(ours.all[0].Targets), ended, n)
	}
}

func TestMeasureRefusesDifferentTargets(t *testing.T) {
	a, b := fake(1), fake(1)
	for c, targets := range map[*side][][]int{a: {{3, 4}, {5}}, b: {{3, 4}, {6}}} {
		run := c.run
		c.run = func(ctx context.Context) (measurement, error) {
			m, err := run(ctx)
			m.Targets = targets
			return m, err
		}
	}
	err := measureInTurn(context.Background(), 1, []*side{a, b}, ignore)
	if err == nil || !strings.Contains(err.Error(), "not the same search: 50.0 % of the targets") {
		t.Errorf("error %v", err)
	}
}
