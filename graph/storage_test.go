package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

var formats = []apoops.Format{apoops.Float16, apoops.BFloat16}

// lowRoles are graphs of every kind on float32, kept as s says.
func lowRoles(t *testing.T, s Storage) []role {
	t.Helper()
	rng := rand.New(rand.NewPCG(45, 1))
	var all []role
	dense := problems(rng, 3, 3)[0]
	narrowAll(dense.batch.X)
	narrowAll(dense.tilde)
	for _, of := range []struct {
		name  string
		model Model
		problem
	}{
		{"dense", mlp{widths: []int{3, 6, 5, 3}, act: apoops.TanhAct, dropout: 0.3}, dense},
		{"residual", residual{classes: 3}, images(rng, tensor.Float32, 3)},
	} {
		name := of.name
		source := func(t *testing.T) (Source, []*Param, Model) {
			params, err := of.model.Init(9, tensor.Float32)
			must(t, err)
			for _, p := range params {
				if p.Value.Dtype() != tensor.Float32 {
					p.Value = narrow(p.Value)
				}
			}
			return Objective{Model: of.model, Loss: of.loss, Storage: s}, params, of.model
		}
		all = append(all, rolesOf(name, tensor.Float32, of.problem, source)...)
		all = append(all, role{name + "/rows", func(t *testing.T) *compiled {
			return lowRows(t, source, of.problem)
		}})
		for _, steps := range []bool{false, true} {
			all = append(all, role{fmt.Sprintf("%s/probe, steps: %v", name, steps), func(t *testing.T) *compiled {
				src, params, _ := source(t)
				return probeRole(t, src, params, Batch{X: of.batch.X}, steps)
			}})
		}
	}
	user := func(t *testing.T) *userNet {
		u := stockConvs["strided"].build(t, rand.New(rand.NewPCG(43, 1)), tensor.Float32)
		u.Storage = s
		return u
	}
	batch := user(t).batch
	all = append(all, rolesOf("stock", tensor.Float32, problem{batch: batch, tilde: batch.X}, func(t *testing.T) (Source, []*Param, Model) {
		u := user(t)
		params, err := u.LearnableParams()
		must(t, err)
		return u.Problem, params, nil
	})...)
	return all
}

// lowRows is a base graph that leaves the gradients out that rows stand for. They have the
// bits of a graph that does not.
func lowRows(t *testing.T, source func(t *testing.T) (Source, []*Param, Model), pr problem) *compiled {
	src, params, _ := source(t)
	b, err := NewBaseRows(src, params, pr.batch, apoops.NewRandom(5), wanting(BlockPerParam(params)))
	must(t, err)
	whole, err := NewBase(src, params, pr.batch, apoops.NewRandom(5))
	must(t, err)
	return &compiled{b.program, func(t *testing.T, _ int) (results [][]float64) {
		must(t, whole.SetLossScale(b.scaleBy), b.Feed(pr.batch), whole.Feed(pr.batch), b.Run())
		g, err := b.Grads()
		must(t, err)
		for _, d := range g {
			results = append(results, numbers(d))
		}
		must(t, whole.Run())
		want, err := whole.Grads()
		must(t, err)
		for i, d := range want {
			equalBits(t, "gradient "+params[i].Name, results[i], numbers(d))
		}
		return append(results, []float64{b.LossValue()})
	}}
}

// TestPackedProgramsHaveTheBitsOfEmulatedOnes runs graphs of every kind with arrays of 16
// bits, in memory that they share and in memory of their own, and with the same numbers
// in arrays of float32: all bits of all results are equal. The arena of the first is that
// of 16 bits for the most part, and each array that ops hand on is of numbers of the format.
func TestPackedProgramsHaveTheBitsOfEmulatedOnes(t *testing.T) {
	for _, f := range formats {
		packed, emulated := lowRoles(t, Storage{Format: f, Low: true}), lowRoles(t, Storage{Format: f, Low: true, Emulated: true})
		for k := range packed {
			t.Run(fmt.Sprintf("%v/%s", f, packed[k].name), func(t *testing.T) {
				defer func() { sharing = true }()
				sharing = false
				apart, twin := packed[k].build(t), emulated[k].build(t)
				sharing = true
				shared := packed[k].build(t)
				for i := range 3 {
					want := twin.run(t, i)
					for name, c := range map[string]*compiled{"alone": apart, "shared": shared} {
						for j, got := range c.run(t, i) {
							equalBits(t, fmt.Sprintf("step %d, result %d, memory %s", i, j, name), got, want[j])
						}
					}
				}
				checkStored(t, apart.program, true)
				checkStored(t, twin.program, false)
				if a := shared.program.arena; elementsOf(&a.packed) < elementsOf(&a.single) {
					t.Errorf("%d elements of 16 bits, %d of 32", elementsOf(&a.packed), elementsOf(&a.single))
				}
			})
		}
	}
}

// checkStored looks at the values of all nodes after a run in memory of their own.
func checkStored(t *testing.T, p *program, packed bool) {
	t.Helper()
	low, foreign := 0, 0
	overwritten := make(map[*gorgonia.Node]bool) // by Gorgonia's ops, which may do that
	for _, n := range p.g.AllNodes() {
		if _, ok := n.Op().(apoops.Rounder); ok || n.Op() == nil || typeName(n.Op()) == "readOp" {
			continue
		}
		for _, c := range children(n) {
			overwritten[c] = true
		}
	}
	for _, n := range p.g.AllNodes() {
		v, array := n.Value().(*tensor.Dense)
		op, rounder := n.Op().(apoops.Rounder)
		switch {
		case n.Op() == nil || !array || n.IsScalar() || v.Dtype() == tensor.Int:
			continue
		case !rounder:
			foreign++
			continue
		case v.Dtype() == tensor.Uint16:
			if !packed {
				t.Fatalf("%s is packed", describe(n))
			}
			low++
			continue
		case p.single[n] || overwritten[n] || op.BufferSize() == 0 || staysSingle(n):
			continue
		}
		if !packed {
			low++
		}
		for i, x := range v.Float32s() {
			if r := apoops.Round16(p.storage.Format, x); r != x && x == x {
				t.Fatalf("element %d of %s is %v, which is no %v", i, describe(n), x, p.storage.Format)
			}
		}
	}
	if low < 5 || foreign > low {
		t.Errorf("%d results are packed or rounded, %d are of other ops", low, foreign)
	}
}

// staysSingle are the ops that say of themselves that they do not round.
func staysSingle(n *gorgonia.Node) bool {
	name := n.Op().(apoops.Rounder).String()
	return name == "apoops.unscale" || len(name) > 18 && (name[:18] == "apoops.batchMoment" || name[:18] == "apoops.givenMoment")
}

// TestLossScale: gradients and what is made of them have the same bits at any loss scale
// in bfloat16, where nothing under- or overflows. In float16 fewer elements are 0.
func TestLossScale(t *testing.T) {
	for _, r := range lowRoles(t, Storage{Format: apoops.BFloat16, Low: true}) {
		t.Run(r.name, func(t *testing.T) {
			plain, scaled := r.build(t), r.build(t)
			must(t, scaled.program.SetLossScale(1<<12))
			for i := range 2 {
				want, got := plain.run(t, i), scaled.run(t, i)
				for j := range want {
					equalBits(t, fmt.Sprintf("step %d, result %d", i, j), got[j], want[j])
				}
			}
		})
	}
	zeros := func(scale float64) (n int) {
		model := mlp{widths: []int{3, 6, 5, 3}, act: apoops.TanhAct}
		params, err := model.Init(9, tensor.Float32)
		must(t, err)
		for _, p := range params {
			p.Value = narrow(p.Value)
		}
		pr := problems(rand.New(rand.NewPCG(45, 1)), 3, 3)[0]
		narrowAll(pr.batch.X)
		for i := range pr.batch.X[0].Float32s() {
			pr.batch.X[0].Float32s()[i] *= 1e-5
		}
		for i := range params[1].Value.Float32s() {
			params[1].Value.Float32s()[i] *= 1e-3
		}
		b, err := NewBase(Objective{Model: model, Loss: pr.loss, Storage: Storage{Low: true}}, params, pr.batch, nil)
		must(t, err, b.SetLossScale(scale), b.Feed(pr.batch), b.Run())
		grads, err := b.Grads()
		must(t, err)
		for _, v := range grads[0].Float32s() {
			if v == 0 {
				n++
			}
		}
		return n
	}
	if one, many := zeros(1), zeros(1<<12); 4*many > one || one == 0 {
		t.Errorf("%d gradients of 0 without a loss scale, %d with one", one, many)
	}
}

// TestStorageRefusals: 16 bits are for float32 and known formats, loss scales are powers of two.
func TestStorageRefusals(t *testing.T) {
	model := mlp{widths: []int{3, 2}}
	build := func(s Storage, dt tensor.Dtype) (*Base, error) {
		params, err := model.Init(1, dt)
		must(t, err)
		pr := problems(rand.New(rand.NewPCG(45, 1)), 3, 2)[0]
		if dt == tensor.Float32 {
			params[0].Value = narrow(params[0].Value)
			narrowAll(pr.batch.X)
		}
		return NewBase(Objective{Model: model, Loss: pr.loss, Storage: s}, params, pr.batch, nil)
	}
	if _, err := build(Storage{Low: true}, tensor.Float64); err == nil {
		t.Error("float64 was accepted")
	} else {
		t.Log(err)
	}
	if _, err := build(Storage{Low: true, Format: 7}, tensor.Float32); err == nil {
		t.Error("an unknown format was accepted")
	} else {
		t.Log(err)
	}
	low, err := build(Storage{Low: true}, tensor.Float32)
	must(t, err)
	for _, s := range []float64{0, -2, 3, math.NaN(), math.Inf(1), math.Ldexp(1, 127), math.Ldexp(1, -127)} {
		if err := low.SetLossScale(s); err == nil {
			t.Errorf("the loss scale %v was accepted", s)
		}
	}
	plain, err := build(Storage{}, tensor.Float32)
	must(t, err, plain.SetLossScale(1), low.SetLossScale(1<<16))
	if err := plain.SetLossScale(2); err == nil {
		t.Error("a loss scale in 32 bits was accepted")
	}
}
