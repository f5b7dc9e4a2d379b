package graph

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// gorgonian is a model of Gorgonia's ops: tanh(x·W₁)·W₂.
type gorgonian struct{}

func (gorgonian) Init(seed uint64, dt tensor.Dtype) ([]*Param, error) {
	rng := rand.New(rand.NewPCG(seed, 2))
	return []*Param{{Name: "w1", Value: narrow(random(rng, 0.7, 3, 5)), Matrix: true}, {Name: "w2", Value: narrow(random(rng, 0.7, 5, 3)), Matrix: true}}, nil
}

func (gorgonian) Output(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	h, err := gorgonia.Mul(x[0], theta[0])
	if err != nil {
		return nil, err
	}
	if h, err = gorgonia.Tanh(h); err != nil {
		return nil, err
	}
	return p.Layer("out", func() (*gorgonia.Node, error) { return gorgonia.Mul(h, theta[1]) })
}

// TestModelsOfGorgoniasOps: what they read is rounded, and so are the gradients that they
// make. Packed and emulated graphs have the same bits.
func TestModelsOfGorgoniasOps(t *testing.T) {
	pr := problems(rand.New(rand.NewPCG(45, 1)), 3, 3)[0]
	narrowAll(pr.batch.X)
	params, err := gorgonian{}.Init(1, tensor.Float32)
	must(t, err)
	run := func(s Storage) *Base {
		b, err := NewBase(Objective{Model: gorgonian{}, Loss: pr.loss, Storage: s}, params, pr.batch, nil)
		must(t, err, b.Feed(pr.batch), b.Run())
		return b
	}
	for _, f := range formats {
		packed, emulated := run(Storage{Format: f, Low: true}), run(Storage{Format: f, Low: true, Emulated: true})
		got, err := packed.Grads()
		must(t, err)
		want, err := emulated.Grads()
		must(t, err)
		single, err := run(Storage{}).Grads()
		must(t, err)
		for i, g := range got {
			equalBits(t, params[i].Name, numbers(g), numbers(want[i]))
			for j, v := range g.Float32s() {
				if apoops.Round16(f, v) != v || math.Abs(float64(v-single[i].Float32s()[j])) > 0.02 {
					t.Errorf("%v: gradient %d of %s is %v, in float32 %v", f, j, params[i].Name, v, single[i].Float32s()[j])
				}
			}
		}
	}
}

// TestTraceInLowStorage names the layer whose output leaves the range of float16, at
// weights that are within that of float32.
func TestTraceInLowStorage(t *testing.T) {
	pr := problems(rand.New(rand.NewPCG(45, 1)), 3, 3)[0]
	narrowAll(pr.batch.X)
	params, err := gorgonian{}.Init(1, tensor.Float32)
	must(t, err)
	for i := range params[1].Value.Float32s() {
		params[1].Value.Float32s()[i] = 1e5
	}
	for s, want := range map[Storage]string{
		{}:                                   "",
		{Format: apoops.BFloat16, Low: true}: "",
		{Format: apoops.Float16, Low: true}:  "the output of out",
	} {
		at, err := Trace(Objective{Model: gorgonian{}, Loss: pr.loss, Storage: s}, params, pr.batch, nil)
		must(t, err)
		if at != want {
			t.Errorf("%+v: %q is not finite, not %q", s, at, want)
		}
	}
}

// TestForwardInLowStorage: results are rounded, and those of packed and emulated graphs
// are equal.
func TestForwardInLowStorage(t *testing.T) {
	model := mlp{widths: []int{3, 6, 3}, act: apoops.TanhAct}
	params, err := model.Init(9, tensor.Float32)
	must(t, err)
	for _, p := range params {
		p.Value = narrow(p.Value)
	}
	x := []*tensor.Dense{narrow(random(rand.New(rand.NewPCG(1, 1)), 1, 4, 3))}
	run := func(s Storage) []float64 {
		f, err := NewForwardIn(s, params, x, func(p *Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
			y, err := model.Output(p, x, theta)
			return gorgonia.Nodes{y}, err
		})
		must(t, err, f.Run())
		return numbers(f.Result(0))
	}
	for _, f := range formats {
		got := run(Storage{Format: f, Low: true})
		equalBits(t, f.String(), got, run(Storage{Format: f, Low: true, Emulated: true}))
		for i, v := range got {
			if apoops.Round16(f, v) != v {
				t.Errorf("%v: element %d is %v", f, i, v)
			}
		}
	}
	if _, err := NewForwardIn(Storage{Low: true, Format: 3}, params, x, nil); err == nil {
		t.Error("an unknown format was accepted")
	}
}
