package graph

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TestPackedGradients: those in 16 bits are those of Grads, at any loss scale, and of a graph
// whose arrays are of float32.
func TestPackedGradients(t *testing.T) {
	model := mlp{widths: []int{3, 6, 3}, act: apoops.TanhAct}
	params, err := model.Init(9, tensor.Float32)
	must(t, err)
	for _, p := range params {
		p.Value = narrow(p.Value)
	}
	pr := problems(rand.New(rand.NewPCG(45, 1)), 3, 3)[0]
	narrowAll(pr.batch.X)
	run := func(s Storage, scale float64) *Base {
		b, err := NewBase(Objective{Model: model, Loss: pr.loss, Storage: s}, params, pr.batch, nil)
		must(t, err)
		must(t, b.SetLossScale(scale), b.Feed(pr.batch), b.Run())
		return b
	}
	for _, f := range formats {
		for _, scale := range []float64{1, 1 << 10} {
			s := Storage{Format: f, Low: true, Unscaled: scale == 1}
			b := run(s, scale)
			s.Emulated = true
			want, err := run(s, scale).Grads()
			must(t, err)
			packed := b.PackedGrads()
			if len(packed) != len(want) {
				t.Fatalf("%d gradients in 16 bits of %d", len(packed), len(want))
			}
			for range 2 {
				got, err := b.Grads()
				must(t, err)
				for i, p := range packed {
					equalBits(t, params[i].Name, numbers(got[i]), numbers(want[i]))
					x := make([]float32, len(p.Bits))
					Expand(x, p, 0)
					Expand(x[1:], p, 1)
					for j, v := range x {
						if v != got[i].Float32s()[j] {
							t.Errorf("%v, scale %v: element %d of %s is %v, not %v", f, scale, j, params[i].Name, v, got[i].Float32s()[j])
						}
					}
				}
			}
			if run(s, scale).PackedGrads() != nil {
				t.Error("gradients of an emulated graph are in 16 bits")
			}
		}
	}
	if run(Storage{}, 1).PackedGrads() != nil {
		t.Error("gradients of a graph in float32 are in 16 bits")
	}
}

// TestUnscaled: graphs of every kind without a loss scale have the bits of those at 1, and
// take no other.
func TestUnscaled(t *testing.T) {
	scaled, plain := lowRoles(t, Storage{Format: apoops.BFloat16, Low: true}), lowRoles(t, Storage{Format: apoops.BFloat16, Low: true, Unscaled: true})
	for k, r := range plain {
		t.Run(r.name, func(t *testing.T) {
			a, b := r.build(t), scaled[k].build(t)
			for i := range 2 {
				want := b.run(t, i)
				for j, got := range a.run(t, i) {
					equalBits(t, r.name, got, want[j])
				}
			}
			if err := a.program.SetLossScale(2); err == nil {
				t.Error("a loss scale of 2 was accepted")
			}
		})
	}
}
