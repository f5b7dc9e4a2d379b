package trainers

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// TestRefusedStepsLeaveNoGradients has a loop of the user's go on after a step that was an
// error. The machine adds gradients up: what is left would be in the next step.
func TestRefusedStepsLeaveNoGradients(t *testing.T) {
	bad := func(where func(u *stockNet) *gorgonia.Node, v float64) func(u *stockNet, s *Solver) error {
		return func(u *stockNet, s *Solver) error {
			b := u.batch(1)
			for _, a := range []*tensor.Dense{b.X[0], b.T[0]} {
				if a.Shape().Eq(where(u).Shape()) {
					a.Float64s()[3] = v
				}
			}
			u.feed(t, b)
			if err := u.vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			return s.Step(gorgonia.NodesToValueGrads(u.problem.Params))
		}
	}
	x := func(u *stockNet) *gorgonia.Node { return u.x }
	y := func(u *stockNet) *gorgonia.Node { return u.y }
	for name, refused := range map[string]func(u *stockNet, s *Solver) error{
		"NaN in x": bad(x, math.NaN()), "NaN in y": bad(y, math.NaN()), "infinity in x": bad(x, math.Inf(1)),
		"parameters twice": func(u *stockNet, s *Solver) error {
			u.feed(t, u.batch(1))
			if err := u.vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			return s.Step(gorgonia.NodesToValueGrads(append(u.problem.Params, u.problem.Params...)))
		},
	} {
		for _, k := range []int{0, 1} {
			start := func() (*stockNet, *Solver) {
				u := newStockNet(tensor.Float64, 4, stockNets["mlp"])
				u.problem.Divergence = graph.CategoricalKL
				s, err := Wrap(u.problem, SGDm(0.01), EveryK(k))
				if err != nil {
					t.Fatal(err)
				}
				u.machine(t)
				return u, s
			}
			u, s := start()
			u.own(t, s, u.batch(0))
			if err := refused(u, s); err == nil {
				t.Errorf("%s, K = %d: no error", name, k)
			}
			u.vm.Reset()
			u.own(t, s, u.batch(2))
			never, other := start()
			never.own(t, other, never.batch(0))
			never.own(t, other, never.batch(2))
			if d := u.far(never); d != 0 {
				t.Errorf("%s, K = %d: weights are %.1e from those of a run without it", name, k, d)
			}
		}
	}
}
