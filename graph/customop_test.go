package graph_test

import (
	"fmt"
	"hash"
	"hash/fnv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// custom is an op as a user writes it, of exported names alone: a function of the
// elements of its operands, all of one shape.
type custom[T apoops.Float] struct {
	name  string
	f     func(in []float64) float64
	grad  func(in gorgonia.Nodes, dy *gorgonia.Node) (*gorgonia.Node, error)
	n     int  // operands
	alias bool // the result is the memory of the first operand
	id    uint64
	out   *tensor.Dense
}

// cloned is custom with the method that lets graphs be rebuilt.
type cloned[T apoops.Float] struct{ *custom[T] }

var (
	_         gorgonia.SDOp = (*custom[float32])(nil)
	_         apoops.Cloner = cloned[float64]{}
	customOps atomic.Uint64
)

func (o cloned[T]) Clone(func(uint64) uint64) gorgonia.Op {
	c := *o.custom
	c.id, c.out = customOps.Add(1), nil
	return cloned[T]{&c}
}

// cube is x³.
func cube[T apoops.Float]() *custom[T] {
	return &custom[T]{name: "cube", n: 1, id: customOps.Add(1),
		f: func(in []float64) float64 { return in[0] * in[0] * in[0] },
		grad: func(in gorgonia.Nodes, dy *gorgonia.Node) (*gorgonia.Node, error) {
			d := &custom[T]{name: "cubeGrad", n: 2, id: customOps.Add(1), f: func(in []float64) float64 { return 3 * in[0] * in[0] * in[1] }}
			return gorgonia.ApplyOp(cloned[T]{d}, in[0], dy)
		}}
}

// same is x itself, in the same memory.
func same[T apoops.Float]() *custom[T] {
	return &custom[T]{name: "same", n: 1, alias: true, id: customOps.Add(1),
		grad: func(_ gorgonia.Nodes, dy *gorgonia.Node) (*gorgonia.Node, error) { return dy, nil }}
}

func (o *custom[T]) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if o.alias {
		return in[0], nil
	}
	var operands [][]T
	for _, v := range in {
		operands = append(operands, apoops.Elements[T](v.(*tensor.Dense)))
	}
	if o.out == nil {
		o.out = tensor.New(tensor.Of(apoops.DtypeOf[T]()), tensor.WithShape(in[0].Shape().Clone()...))
	}
	x := make([]float64, len(in))
	for i := range apoops.Elements[T](o.out) {
		for j, a := range operands {
			x[j] = float64(a[i])
		}
		apoops.Elements[T](o.out)[i] = T(o.f(x))
	}
	return o.out, nil
}

func (o *custom[T]) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := o.grad(in, dy)
	return gorgonia.Nodes{dx}, err
}

func (o *custom[T]) DiffWRT(n int) []bool {
	wrt := make([]bool, n)
	wrt[0] = o.grad != nil
	return wrt
}

func (o *custom[T]) Type() hm.Type {
	types := make([]hm.Type, o.n+1)
	for i := range types {
		types[i] = hm.TypeVariable('a')
	}
	return hm.NewFnType(types...)
}

func (o *custom[T]) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(in)
	return shapes[0].Clone(), err
}

func (o *custom[T]) Arity() int            { return o.n }
func (o *custom[T]) ReturnsPtr() bool      { return true }
func (o *custom[T]) CallsExtern() bool     { return false }
func (o *custom[T]) OverwritesInput() int  { return -1 }
func (o *custom[T]) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s#%d", o.name, o.id) }
func (o *custom[T]) String() string        { return o.name }
func (o *custom[T]) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// apply applies an op to x; forget leaves its Clone out.
func applyCustom(x *gorgonia.Node, forget bool, single *custom[float32], double *custom[float64]) *gorgonia.Node {
	op, err := apoops.Choose(x.Dtype(), gorgonia.Op(cloned[float32]{single}), gorgonia.Op(cloned[float64]{double}))
	if forget {
		op, err = apoops.Choose(x.Dtype(), gorgonia.Op(single), gorgonia.Op(double))
	}
	if err != nil {
		panic(errors.Wrap(err, "custom op"))
	}
	return must(gorgonia.ApplyOp(op, x))
}

func cubeOf(x *gorgonia.Node) *gorgonia.Node {
	return applyCustom(x, false, cube[float32](), cube[float64]())
}

func sameAs(x *gorgonia.Node) *gorgonia.Node {
	return applyCustom(x, false, same[float32](), same[float64]())
}

func init() { tables = append(tables, customs()) }

// customs are graphs with ops of users, between Gorgonia's ops and those of package
// apoops. The op whose result is its operand's memory is computed right only if that
// memory is not used for another result too early.
func customs() []pattern {
	linear := func(u *user) *gorgonia.Node { return product(u.x(4, 3), u.w(3, 2)) }
	return []pattern{
		{name: "custom/alone", build: func(u *user) (out, cost *gorgonia.Node) { return u.mse(cubeOf(linear(u))) }},
		{name: "custom/twice", build: func(u *user) (out, cost *gorgonia.Node) {
			h := cubeOf(linear(u))
			return u.mse(cubeOf(plus(h, h)))
		}},
		{name: "custom/between others", build: func(u *user) (out, cost *gorgonia.Node) {
			h := must(gorgonia.Tanh(cubeOf(must(apoops.Dense(u.x(4, 3), u.w(4, 5), apoops.SigmoidAct)))))
			return u.mse(product(h, u.w(5, 2)))
		}},
		{name: "custom/memory of the operand", build: func(u *user) (out, cost *gorgonia.Node) {
			h := must(apoops.Times(linear(u), 2))
			for range 4 {
				same := sameAs(h)
				other := must(apoops.Add(must(apoops.Times(same, 0.5)), must(apoops.Times(linear(u), 3))))
				h = must(apoops.Add(must(apoops.Times(other, 2)), same))
			}
			return u.mse(h)
		}},
	}
}

// TestCustomOpsWithoutCloneAreRefused with the name of what is missing.
func TestCustomOpsWithoutCloneAreRefused(t *testing.T) {
	u := newUser(pattern{name: "custom", build: func(u *user) (out, cost *gorgonia.Node) {
		return u.mse(applyCustom(product(u.x(4, 3), u.w(3, 2)), true, cube[float32](), cube[float64]()))
	}}, tensor.Float64)
	_, err := graph.NewBase(&u.problem, u.params(t), u.batch, nil)
	if err == nil || !strings.Contains(err.Error(), "apoops.Cloner") || !strings.Contains(err.Error(), "cube") {
		t.Fatalf("%v, want an error that names the op and apoops.Cloner", err)
	}
}
