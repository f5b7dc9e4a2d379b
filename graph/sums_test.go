package graph

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
)

// recorder notes a member's sums of float64: "begin", and "end" where it waits for one.
type recorder struct {
	collective.Communicator
	events  []string
	lengths []int
}

func (r *recorder) Sum64(x []float64) collective.Pending {
	r.events, r.lengths = append(r.events, "begin"), append(r.lengths, len(x))
	return recorded{r, r.Communicator.Sum64(x)}
}

type recorded struct {
	r *recorder
	collective.Pending
}

func (p recorded) Wait() error {
	p.r.events = append(p.r.events, "end")
	return p.Pending.Wait()
}

// halfMember is a member of two whose sums are its own terms.
type halfMember struct{ collective.Single }

func (halfMember) Size() int { return 2 }

// wideNet is a net whose gradients fill three buckets: the last two layers, the second, the
// first.
func wideNet(t *testing.T) (mlp, []*Param, problem) {
	t.Helper()
	model := mlp{widths: []int{3, 400, 400, 400, 2}, act: apoops.TanhAct}
	params, err := model.Init(1, tensor.Float64)
	must(t, err)
	return model, params, problems(rand.New(rand.NewPCG(7, 1)), 3, 2)[0]
}

// TestSumsBeginWithinTheBackwardPass runs two members, and looks where their sums begin and
// end.
func TestSumsBeginWithinTheBackwardPass(t *testing.T) {
	model, params, pr := wideNet(t)
	var bases [2]*Base
	var recorders [2]*recorder
	for r, c := range collective.Local(2) {
		recorders[r] = &recorder{Communicator: c}
		own := make([]*Param, len(params))
		for i, p := range params {
			own[i] = &Param{Name: p.Name, Value: p.Value.Clone().(*tensor.Dense), Matrix: p.Matrix}
		}
		var err error
		bases[r], err = NewBase(Objective{Model: model, Loss: pr.loss, Members: recorders[r]}, own, pr.batch, nil)
		must(t, err)
	}
	for range 2 { // the first run compares the graphs too
		var wg sync.WaitGroup
		for r, b := range bases {
			recorders[r].events = nil
			wg.Go(func() {
				if err := errors.Join(b.Feed(pr.batch), b.Run()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	for r, b := range bases {
		if want := []string{"begin", "begin", "begin", "end", "end", "end"}; !slices.Equal(recorders[r].events, want) {
			t.Errorf("rank %d: %v", r, recorders[r].events)
		}
		order := b.order
		if order == nil {
			t.Fatal("the order of execution is not known")
		}
		at := func(n *gorgonia.Node) int { return slices.Index(order, n) }
		var begins, ends []int
		for i, n := range order {
			if apoops.JointSize(n) > 0 {
				begins = append(begins, i)
			}
			if apoops.IsJointSum(n.Op()) {
				ends = append(ends, i)
			}
		}
		if begins[0] > at(b.grads[1]) || begins[1] > at(b.grads[0]) || ends[0] < begins[2] {
			t.Errorf("rank %d: sums begin at %v and end at %v; gradients are made at %d, %d", r, begins, ends, at(b.grads[1]), at(b.grads[0]))
		}
		sumsAreThoseOfParts(t, b, Objective{Model: model, Loss: pr.loss}, params, pr.batch)
	}
}

// sumsAreThoseOfParts compares the gradients of two members with the sum of those of their
// parts, to the bit.
func sumsAreThoseOfParts(t *testing.T, b *Base, src Source, params []*Param, batch Batch) {
	t.Helper()
	got, err := b.Grads()
	must(t, err)
	var want [][]float64
	for r := range 2 {
		part, err := batch.Part(3*r, 3)
		must(t, err)
		alone, err := NewBase(src, params, part, nil)
		must(t, err)
		must(t, alone.Feed(part), alone.Run())
		g, err := alone.Grads()
		must(t, err)
		for i, a := range g {
			if r == 0 {
				want = append(want, make([]float64, len(a.Float64s())))
			}
			for j, v := range a.Float64s() {
				want[i][j] += 0.5 * v
			}
		}
	}
	for i, a := range got {
		equalBits(t, params[i].Name, a.Float64s(), want[i])
	}
}

// TestSumsAllocateLittle measures runs: gradients have 2.6 MB. There are many, for what is
// taken once stays: goroutines and the memory of products, of each processor.
func TestSumsAllocateLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries, here the memory of products")
	}
	model, params, pr := wideNet(t)
	b, err := NewBase(Objective{Model: model, Loss: pr.loss, Members: halfMember{}}, params, pr.batch, nil)
	must(t, err)
	run := func() { must(t, b.Feed(pr.batch), b.Run()) }
	run()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const runs = 100
	for range runs {
		run()
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / runs; each > 100_000 {
		t.Errorf("%d bytes a run", each)
	}
}

// TestCurvatureSumsWhatItComputes looks at what members transfer.
func TestCurvatureSumsWhatItComputes(t *testing.T) {
	model := mlp{widths: []int{3, 4, 2}, act: apoops.TanhAct}
	params, err := model.Init(1, tensor.Float64)
	must(t, err)
	pr := problems(rand.New(rand.NewPCG(7, 1)), 3, 2)[0]
	r := &recorder{Communicator: halfMember{}}
	blocks := BlockPerParam(params)
	k, err := NewCurvature(CurvatureConfig{Source: Objective{Model: model, Loss: pr.loss, Members: r}, Params: params, Blocks: blocks, Batch: pr.batch, Squares: true})
	must(t, err)
	for i, b := range blocks {
		must(t, k.SetBases(i, tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(b.Rows, b.Rows)), tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(b.Cols, b.Cols))))
	}
	must(t, k.Feed(pr.batch), k.RunFor(true, true))
	for _, c := range []struct {
		moments, squares bool
		want             []int
	}{
		{true, false, []int{4*4 + 5*5, 4*4 + 2*2}}, {false, true, []int{4*4 + 5*2}}, {false, false, nil},
	} {
		r.lengths = nil
		must(t, k.RunFor(c.moments, c.squares))
		if !slices.Equal(r.lengths, c.want) {
			t.Errorf("moments %t, squares %t: sums of %v elements, want %v", c.moments, c.squares, r.lengths, c.want)
		}
	}
}
