package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// spoiling is a machine behind whose runs other programs use the arena.
type spoiling struct {
	gorgonia.VM
	arena *arena
}

func (s spoiling) RunAll() error {
	err := s.VM.RunAll()
	spoil(&s.arena.single)
	spoil(&s.arena.double)
	return err
}

func spoil[T apoops.Float](b *block[T]) {
	for _, piece := range b.pieces {
		for i := range piece {
			piece[i] = T(math.NaN())
		}
	}
}

// elementsOf is the number of elements of a block.
func elementsOf[T apoops.Element](b *block[T]) int {
	seams := b.seams()
	return seams[len(seams)-1]
}

// TestResultsOutliveTheArena overwrites the arena after each run of graphs of every
// kind: all that can be read after a run stays, to the bit.
func TestResultsOutliveTheArena(t *testing.T) {
	for _, r := range append(append(roles(t), probeRoles(t)...), rowsRole()) {
		t.Run(r.name, func(t *testing.T) {
			sharing = false
			defer func() { sharing = true }()
			apart := r.build(t)
			sharing = true
			shared := r.build(t)
			p := shared.program
			if elementsOf(&p.arena.single)+elementsOf(&p.arena.double) == 0 {
				t.Fatal("nothing lies in the arena")
			}
			p.vm = spoiling{p.vm, p.arena}
			for i := range 3 {
				want, got := apart.run(t, i), shared.run(t, i)
				for j := range want {
					equalBits(t, fmt.Sprintf("step %d, result %d", i, j), got[j], want[j])
				}
			}
		})
	}
}

// probeRoles are Probes with steps and without.
func probeRoles(t *testing.T) (all []role) {
	t.Helper()
	for _, steps := range []bool{false, true} {
		all = append(all, role{fmt.Sprintf("probe, steps: %v", steps), func(t *testing.T) *compiled {
			model := residual{classes: 3}
			params, err := model.Init(5, tensor.Float64)
			must(t, err)
			x := Batch{X: []*tensor.Dense{random(rand.New(rand.NewPCG(3, 3)), 1, 4, 2, 6, 6)}}
			return probeRole(t, Objective{Model: model, Loss: SoftmaxCrossEntropy}, params, x, steps)
		}})
	}
	return all
}

func probeRole(t *testing.T, src Source, params []*Param, x Batch, steps bool) *compiled {
	noise := apoops.NewRandom(6)
	c := ProbeConfig{Source: src, Params: params, Blocks: BlockPerParam(params), Batch: x, Random: apoops.NewRandom(5), Noise: noise}
	if steps {
		c.Blocks, c.Learners = learnedBlocks(t, params, c)
	}
	k, err := NewProbe(c)
	must(t, err)
	return &compiled{k.program, func(t *testing.T, step int) (results [][]float64) {
		noise.SetStep(int64(step))
		must(t, k.Feed(x))
		if !steps {
			must(t, k.Run())
			for i := range c.Blocks {
				if !k.HasRows(i) {
					d, err := k.Squares(i)
					must(t, err)
					results = append(results, numbers(d))
					continue
				}
				x, z, err := k.Rows(i)
				must(t, err)
				results = append(results, numbers(x), numbers(z))
			}
			return results
		}
		must(t, k.Step(0.1, 0.2, 0.3), k.Move())
		for i, l := range c.Learners {
			results = append(results, []float64{k.Energy(i)})
			for _, a := range append(l.Phi(), stateOf(l)...) {
				results = append(results, numbers(a))
			}
			m, err := k.Measures(i)
			must(t, err)
			for _, v := range m {
				results = append(results, []float64{v.Value})
			}
		}
		return results
	}}
}

// wanting takes the gradients of all blocks as rows.
type wanting []Block

func (w wanting) RowBlocks() []Block      { return w }
func (w wanting) WantsRows(int, int) bool { return true }

// rowsRole is a base graph with gradients as rows.
func rowsRole() role {
	return role{"base, rows", func(t *testing.T) *compiled {
		model := mlp{widths: []int{3, 6, 5, 3}, act: apoops.TanhAct}
		params, err := model.Init(9, tensor.Float64)
		must(t, err)
		pr := problems(rand.New(rand.NewPCG(4, 1)), 3, 3)[0]
		b, err := NewBaseRows(Objective{Model: model, Loss: pr.loss}, params, pr.batch, nil, wanting(BlockPerParam(params)))
		must(t, err)
		return &compiled{b.program, func(t *testing.T, _ int) [][]float64 {
			must(t, b.Feed(pr.batch), b.Run())
			g, err := b.Grads()
			must(t, err)
			results := [][]float64{{b.LossValue()}}
			for _, d := range g {
				results = append(results, numbers(d))
			}
			return results
		}}
	}}
}

// TestProgramsShareAnArena: programs over the same weights have memory for the largest
// and at most an eighth more, and give it up when they are gone. Those over other weights
// have their own.
func TestProgramsShareAnArena(t *testing.T) {
	model := residual{classes: 3}
	rng := rand.New(rand.NewPCG(3, 3))
	build := func(params []*Param, n int) *Base {
		labels := tensor.New(tensor.WithShape(n), tensor.WithBacking(make([]int, n)))
		b, err := NewBase(Objective{Model: model, Loss: SoftmaxCrossEntropy}, params, NewBatch(random(rng, 1, n, 2, 6, 6), labels), nil)
		must(t, err)
		return b
	}
	params, err := model.Init(5, tensor.Float64)
	must(t, err)
	others, err := model.Init(5, tensor.Float64)
	must(t, err)
	size := func(b *Base) int { return elementsOf(&b.arena.double) }
	large := build(others, 12)
	small := build(params, 3)
	before := size(small)
	if before == 0 || size(large) <= before {
		t.Fatalf("%d elements for 3 examples, %d for 12", before, size(large))
	}
	second := build(params, 12)
	both := size(small)
	if second.arena != small.arena || second.arena == large.arena || both < size(large) || both > size(large)*9/8 {
		t.Errorf("%d elements for the larger of two programs, %d alone", both, size(large))
	}
	if build(params, 6); size(small) != both {
		t.Errorf("%d elements with a third program, %d with two", size(small), both)
	}
	arenas := func() int {
		runtime.GC()
		runtime.GC()
		alive := 0
		for _, u := range small.arena.double.users {
			if u.Value() != nil {
				alive++
			}
		}
		return alive
	}
	if n := arenas(); n != 2 {
		t.Errorf("%d programs in the arena, not 2", n)
	}
	runtime.KeepAlive(second)
	runtime.KeepAlive(large)
	runtime.KeepAlive(params)
}

// TestProgramsTakeTurns runs two programs over the same weights at once.
func TestProgramsTakeTurns(t *testing.T) {
	model := residual{classes: 3}
	params, err := model.Init(5, tensor.Float64)
	must(t, err)
	pr := images(rand.New(rand.NewPCG(3, 3)), tensor.Float64, 3)
	src := Objective{Model: model, Loss: pr.loss}
	base, err := NewBase(src, params, pr.batch, nil)
	must(t, err)
	e, err := NewEvaluation(src, params, pr.batch)
	must(t, err)
	must(t, base.Feed(pr.batch), e.Feed(pr.batch), base.Run(), e.Run())
	loss, value := base.LossValue(), e.LossValue()
	done := make(chan error)
	go func() {
		for range 20 {
			if err := e.Run(); err != nil {
				done <- err
			}
		}
		close(done)
	}()
	for range 20 {
		must(t, base.Run())
		if base.LossValue() != loss {
			t.Errorf("loss %v, alone %v", base.LossValue(), loss)
		}
	}
	if err := <-done; err != nil || e.LossValue() != value {
		t.Errorf("loss %v of the evaluation, alone %v; %v", e.LossValue(), value, err)
	}
}
