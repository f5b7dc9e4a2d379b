package graph_test

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// user is a program with a graph: its methods make leaves with values, drawn anew
// but always the same, and fill in the Problem.
type user struct {
	g       *gorgonia.ExprGraph
	dt      tensor.Dtype
	rng     *rand.Rand
	problem graph.Problem
	batch   graph.Batch
}

func newUser(p pattern, dt tensor.Dtype) *user {
	h := fnv.New64a()
	h.Write([]byte(p.name))
	u := &user{g: gorgonia.NewGraph(), dt: dt, rng: rand.New(rand.NewPCG(h.Sum64(), 1))}
	u.problem.Output, u.problem.Cost = p.build(u)
	u.problem.Divergence = graph.HalfSquared
	return u
}

// x makes an input and w a parameter, of elements from -1 to 1 that keep away from
// 0, where some functions have kinks.
func (u *user) x(shape ...int) *gorgonia.Node { return u.input(-1, 1, shape...) }
func (u *user) w(shape ...int) *gorgonia.Node { return u.param(-1, 1, shape...) }

// input and param make leaves of elements from lo to hi, y and labels targets.
func (u *user) input(lo, hi float64, shape ...int) *gorgonia.Node {
	n, v := u.leaf("x", len(u.problem.Inputs), lo, hi, shape)
	u.problem.Inputs, u.batch.X = append(u.problem.Inputs, n), append(u.batch.X, v)
	return n
}

func (u *user) param(lo, hi float64, shape ...int) *gorgonia.Node {
	n, _ := u.leaf("w", len(u.problem.Params), lo, hi, shape)
	u.problem.Params = append(u.problem.Params, n)
	return n
}

func (u *user) y(shape ...int) *gorgonia.Node {
	n, v := u.leaf("y", len(u.problem.Targets), -1, 1, shape)
	u.problem.Targets, u.batch.T = append(u.problem.Targets, n), append(u.batch.T, v)
	return n
}

// oneHot makes targets of one 1 in each row, bits of 0 and 1 by turns.
func (u *user) oneHot(rows, classes int) *gorgonia.Node {
	n := u.y(rows, classes)
	for i := range rows {
		for j := range classes {
			u.set(n.Value().(*tensor.Dense), i*classes+j, 0)
		}
		u.set(n.Value().(*tensor.Dense), i*classes+u.rng.IntN(classes), 1)
	}
	return n
}

func (u *user) bits(shape ...int) *gorgonia.Node {
	n := u.y(shape...)
	for i := range n.Shape().TotalSize() {
		u.set(n.Value().(*tensor.Dense), i, float64(i%2))
	}
	return n
}

func (u *user) set(t *tensor.Dense, i int, v float64) {
	if u.dt == tensor.Float32 {
		t.Float32s()[i] = float32(v)
	} else {
		t.Float64s()[i] = v
	}
}

// leaf makes a node and the array that a batch has for it: of shape (1) for a
// number.
func (u *user) leaf(kind string, i int, lo, hi float64, shape []int) (*gorgonia.Node, *tensor.Dense) {
	name := gorgonia.WithName(kind + string(rune('0'+i)))
	if len(shape) == 0 {
		v := tensor.New(tensor.Of(u.dt), tensor.WithShape(1))
		x := u.draw(lo, hi)
		u.set(v, 0, x)
		n := gorgonia.NewScalar(u.g, u.dt, name)
		if u.dt == tensor.Float32 {
			gorgonia.Let(n, float32(x))
		} else {
			gorgonia.Let(n, x)
		}
		return n, v
	}
	v := tensor.New(tensor.Of(u.dt), tensor.WithShape(shape...))
	for j := range sizeOf(shape) {
		u.set(v, j, u.draw(lo, hi))
	}
	return gorgonia.NewTensor(u.g, u.dt, len(shape), gorgonia.WithShape(shape...), name, gorgonia.WithValue(v)), v
}

func sizeOf(shape []int) int { return tensor.Shape(shape).TotalSize() }

func (u *user) draw(lo, hi float64) float64 {
	for {
		if x := lo + (hi-lo)*u.rng.Float64(); math.Abs(x) > 0.05 {
			return x
		}
	}
}

// num is a constant of the graph's dtype, array a constant array.
func (u *user) num(v float64) *gorgonia.Node {
	if u.dt == tensor.Float32 {
		return gorgonia.NewConstant(float32(v))
	}
	return gorgonia.NewConstant(v)
}

func (u *user) array(lo, hi float64, shape ...int) *gorgonia.Node {
	v := tensor.New(tensor.Of(u.dt), tensor.WithShape(shape...))
	for i := range sizeOf(shape) {
		u.set(v, i, u.draw(lo, hi))
	}
	return gorgonia.NewConstant(v)
}
