package graph

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// buffered is an op of which a block knows the buffer alone.
type buffered struct {
	apoops.BufferSetter[float64]
	size   int
	memory []float64
}

func (b *buffered) BufferSize() int                  { return b.size }
func (b *buffered) SetBuffer(memory []float64) error { b.memory = memory; return nil }

// layoutFor has results of these sizes that are all needed at one time.
func layoutFor(sizes ...int) *layout[float64] {
	l := new(layout[float64])
	for _, n := range sizes {
		l.ops = append(l.ops, &buffered{size: n})
		l.places = append(l.places, place{size: n})
	}
	return l
}

// TestBlockGrowsByPieces: what lies in a block stays there while it grows, and nothing is
// made twice. Where pieces would lose too much there is one again.
func TestBlockGrowsByPieces(t *testing.T) {
	starts := func(l *layout[float64]) (all []*float64) {
		for _, op := range l.ops {
			all = append(all, &op.(*buffered).memory[0])
		}
		return all
	}
	var b block[float64]
	first, second, smaller := layoutFor(40, 20, 30, 10), layoutFor(50, 40, 30, 30), layoutFor(50, 8)
	must(t, b.join(first))
	if elementsOf(&b) != 100 {
		t.Fatalf("%d elements for 100", elementsOf(&b))
	}
	before := starts(first)
	must(t, b.join(second), b.join(smaller))
	if n := elementsOf(&b); len(b.pieces) != 2 || n < 150 || n > 168 {
		t.Errorf("%d pieces of %d elements for 150", len(b.pieces), n)
	}
	if fmt.Sprint(starts(first)) != fmt.Sprint(before) {
		t.Error("what lay in the block has moved")
	}
	must(t, b.join(layoutFor(200)))
	if n := elementsOf(&b); len(b.pieces) != 1 || n != 200 {
		t.Errorf("%d pieces of %d elements for one result of 200", len(b.pieces), n)
	}
	// In one piece of 200 all have their places, apart from one another.
	for i, l := range []*layout[float64]{first, second, smaller} {
		for j, op := range l.ops {
			m := op.(*buffered).memory
			if len(m) != op.BufferSize() {
				t.Fatalf("layout %d: %d elements for %d", i, len(m), op.BufferSize())
			}
			for k := range m {
				m[k] = float64(j)
			}
		}
		for j, op := range l.ops {
			for _, v := range op.(*buffered).memory {
				if v != float64(j) {
					t.Fatalf("layout %d: result %d lies in result %v's place", i, j, v)
				}
			}
		}
	}
}

// TestProgramsInPieces runs the graphs of a training in turn, for batches of growing
// sizes, evaluations between them: bit for bit as with memory of their own.
func TestProgramsInPieces(t *testing.T) {
	results := func(shared bool) (all [][]float64, pieces, elements int) {
		sharing = shared
		defer func() { sharing = true }()
		model := residual{classes: 3}
		params, err := model.Init(5, tensor.Float64)
		must(t, err)
		src := Objective{Model: model, Loss: SoftmaxCrossEntropy}
		rng := rand.New(rand.NewPCG(8, 3))
		var runs []func()
		var arena *arena
		for _, n := range []int{4, 5, 9} {
			labels := make([]int, n)
			for i := range labels {
				labels[i] = i % 3
			}
			batch := NewBatch(random(rng, 1, n, 2, 6, 6), tensor.New(tensor.WithShape(n), tensor.WithBacking(labels)))
			tilde := []*tensor.Dense{random(rng, 1, (n+3)/4, 2, 6, 6)}
			base, err := NewBase(src, params, batch, nil)
			must(t, err)
			meta, err := NewProximal(ProximalConfig{Source: src, Params: params, Lookahead: RateLookahead{Group: make([]int, len(Learned(params)))}, Batch: batch, Tilde: tilde})
			must(t, err)
			eval, err := NewEvaluation(src, params, batch)
			must(t, err)
			arena = base.arena
			runs = append(runs, func() {
				must(t, base.Feed(batch), base.Run())
				g, err := base.Grads()
				must(t, err)
				must(t, meta.Feed(batch, tilde), meta.FeedWeights(0.5, 0.25), meta.FeedStep([]*tensor.Dense{tensor.New(tensor.WithBacking([]float64{-2}))}, g, 1), meta.Run())
				dphi := []*tensor.Dense{tensor.New(tensor.WithBacking([]float64{0}))}
				must(t, meta.Gradient(dphi), eval.Feed(batch), eval.Run())
				q := meta.Terms()
				all = append(all, []float64{base.LossValue(), q.Q, q.Loss, q.FSD, q.WSD, eval.LossValue()}, numbers(dphi[0]))
				for i, p := range Learned(params) {
					all = append(all, numbers(g[i]))
					descend(p.Value, g[i])
				}
			})
			for _, run := range runs { // those of smaller batches again
				run()
			}
		}
		return all, len(arena.double.pieces), elementsOf(&arena.double)
	}
	apart, _, _ := results(false)
	shared, pieces, elements := results(true)
	if pieces < 2 {
		t.Errorf("%d elements in %d pieces", elements, pieces)
	}
	for i, want := range apart {
		equalBits(t, fmt.Sprintf("result %d", i), shared[i], want)
	}
}
