package graph_test

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// refused is a graph that cannot be had, with the recipe that its error gives and
// the graph written that way.
type refused struct {
	name, recipe       string
	graph, byTheRecipe func(u *user) (out, cost *gorgonia.Node)
}

// theRefused is the list of what Wrap refuses although Gorgonia takes it. What is
// wrong in the lists of the problem is among the refusals of failedwrap_test.go.
func theRefused() []refused {
	linear := func(u *user) *gorgonia.Node { return product(u.x(4, 3), u.w(3, 2)) }
	ctc := func(u *user, r gorgonia.Reduction) *gorgonia.Node {
		ints := func(v []int, shape ...int) *gorgonia.Node {
			return u.g.AddNode(gorgonia.NewConstant(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
		}
		z := times(u.x(4, 1, 3), u.w(4, 1, 3))
		return must(gorgonia.CTCLoss(must(gorgonia.LogSoftMax(z, 2)), ints([]int{1}, 1, 1), ints([]int{4}, 1), ints([]int{1}, 1), r))
	}
	pool := func(u *user, pad int) *gorgonia.Node {
		return must(gorgonia.MaxPool2D(times(u.x(1, 1, 4, 4), u.w(1, 1, 4, 4)), tensor.Shape{2, 2}, []int{pad, pad}, []int{2, 2}))
	}
	named := func(u *user, early bool) *gorgonia.Node {
		var late gorgonia.Nodes
		for _, name := range []string{"late0", "late1"} {
			options := []gorgonia.NodeConsOpt{gorgonia.WithShape(4, 2), gorgonia.WithInit(gorgonia.Ones())}
			if early {
				options = append(options, gorgonia.WithName(name))
			}
			n := gorgonia.NewMatrix(u.g, u.dt, options...)
			gorgonia.WithName(name)(n)
			late = append(late, n)
		}
		u.problem.Fixed = late
		return plus(linear(u), sub(late[0], product(u.num(2), late[1])))
	}
	return []refused{
		{"random node", "make an input of its shape instead",
			func(u *user) (out, cost *gorgonia.Node) {
				return u.mse(plus(linear(u), gorgonia.GaussianRandomNode(u.g, u.dt, 0, 1, 4, 2)))
			},
			func(u *user) (out, cost *gorgonia.Node) { return u.mse(plus(linear(u), u.x(4, 2))) }},
		{"mean of CTC", "take gorgonia.ReductionSum",
			func(u *user) (out, cost *gorgonia.Node) { c := ctc(u, gorgonia.ReductionMean); return c, c },
			func(u *user) (out, cost *gorgonia.Node) { c := ctc(u, gorgonia.ReductionSum); return c, c }},
		{"pooling of padding alone", "padding from 0 to below the kernel",
			func(u *user) (out, cost *gorgonia.Node) { return u.mse(pool(u, 2)) },
			func(u *user) (out, cost *gorgonia.Node) { return u.mse(pool(u, 1)) }},
		{"YOLO", "be made of its input",
			func(u *user) (out, cost *gorgonia.Node) {
				return u.mse(must(gorgonia.YOLOv3(times(u.x(1, 8, 1, 1), u.w(1, 8, 1, 1)), []float32{1, 1}, []int{0}, 32, 3, 0.5)))
			},
			func(u *user) (out, cost *gorgonia.Node) { return u.mse(times(u.x(1, 8, 1, 1), u.w(1, 8, 1, 1))) }},
		{"leaves named after their making", "give each a name of its own when it is made",
			func(u *user) (out, cost *gorgonia.Node) { return u.mse(named(u, false)) },
			func(u *user) (out, cost *gorgonia.Node) { return u.mse(named(u, true)) }},
	}
}

// TestRefusedWithARecipe wants the recipe in the error, and the graph by the recipe
// accepted, with the right values.
func TestRefusedWithARecipe(t *testing.T) {
	for _, r := range theRefused() {
		t.Run(r.name, func(t *testing.T) {
			u := newUser(pattern{name: r.name, build: r.graph}, tensor.Float64)
			before := snapshot(u.g)
			_, err := trainers.Wrap(u.problem, trainers.SGD(0.1), trainers.EveryK(1), trainers.FSD(1, graph.HalfSquared))
			if err == nil || !strings.Contains(err.Error(), r.recipe) {
				t.Fatalf("error %v does not say %q", err, r.recipe)
			}
			before.compare(t, u.g)
			good := newUser(pattern{name: r.name, build: r.byTheRecipe}, tensor.Float64)
			x, _ := good.problem.Leaves()
			for _, n := range x[len(good.batch.X):] {
				good.batch.X = append(good.batch.X, n.Value().(*tensor.Dense))
			}
			_, grads := good.rebuilt(t)
			good.compareDifferences(t, grads)
			_, err = trainers.Wrap(good.problem, trainers.SGD(0.1), trainers.EveryK(1), trainers.FSD(1, graph.HalfSquared))
			must0(t, err)
		})
	}
}

// TestParameterWithoutGradient has a parameter that only an op without a gradient reads:
// the error has its own name.
func TestParameterWithoutGradient(t *testing.T) {
	u := newUser(pattern{name: "finite", build: func(u *user) (out, cost *gorgonia.Node) {
		out, cost = u.mse(product(u.x(4, 3), u.w(3, 2)))
		return out, plus(cost, must(apoops.Finite(u.w(2, 2))))
	}}, tensor.Float64)
	_, err := trainers.FromProblem(u.problem, trainers.SGD(0.1), trainers.EveryK(0))
	if want := `depends on "w1" through ops without a gradient alone`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v does not say %s", err, want)
	}
}
