package rule

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// lowRule is a rule in a training in 16 bits, or with emulated set its twin: a rule in
// float32 whose weights and state are rounded behind each step.
type lowRule struct {
	t        *testing.T
	f        apoops.Format
	settings []precision.Setting
	emulated bool
	params   []*graph.Param
	p        *precision.Precision
	rule     Rule
	kept     []bool // the arrays of the state in 16 bits
}

func newLowRule(t *testing.T, o Optimizer, f apoops.Format, settings []precision.Setting, weights []*tensor.Dense, emulated bool) *lowRule {
	t.Helper()
	l := &lowRule{t: t, f: f, settings: settings, emulated: emulated}
	for i, w := range weights {
		l.params = append(l.params, &graph.Param{Name: string(rune('a' + i)), Value: w.Clone().(*tensor.Dense)})
	}
	l.start(o)
	return l
}

func (l *lowRule) start(o Optimizer) {
	l.t.Helper()
	var err error
	if l.p, err = precision.New(l.f, 7, l.settings...); err != nil {
		l.t.Fatal(err)
	}
	if err = l.p.StartWeights(l.params); err != nil {
		l.t.Fatal(err)
	}
	task := &Task{Params: l.params, Precision: l.p}
	low, err := o.Start(task)
	if err != nil {
		l.t.Fatal(err)
	}
	l.kept = nil
	for _, a := range low.State() {
		l.kept = append(l.kept, a.Packed())
	}
	if l.rule = low; l.emulated {
		if l.rule, err = o.Start(&Task{Params: l.params}); err != nil {
			l.t.Fatal(err)
		}
	}
}

// step takes a step, by the directions where these are asked for.
func (l *lowRule) step(step int, g []graph.Packed, directions bool) (copies []*tensor.Dense) {
	l.t.Helper()
	rates := []float64{0.1, 0.2, 0.05, 0.3, 0.1}[:len(l.params)]
	l.p.Begin(step)
	in := Input{T: step + 1, Packed: g}
	if l.emulated || directions {
		in.Packed = nil
		for i, p := range l.params {
			in.G = append(in.G, tensor.New(tensor.WithShape(p.Value.Shape()...), tensor.Of(tensor.Float32)))
			graph.Expand(in.G[i].Float32s(), g[i], 0)
		}
	}
	var d []*tensor.Dense
	var err error
	if directions {
		if d, err = l.rule.Directions(in); err != nil {
			l.t.Fatal(err)
		}
		for i, a := range d {
			w, rate := l.params[i].Value.Float32s(), float32(rates[i])
			for j, v := range a.Float32s() {
				w[j] -= rate * v
			}
			copies = append(copies, a.Clone().(*tensor.Dense))
		}
	} else if err = l.rule.Fused().Step(in, rates); err != nil {
		l.t.Fatal(err)
	}
	l.p.RoundWeights()
	if l.emulated {
		for i, a := range l.rule.State() {
			if l.kept[i] {
				half.Round(l.f, a.Value.Float32s())
			}
		}
	}
	return copies
}

// resume starts the rule anew and gives it the state as a checkpoint has it.
func (l *lowRule) resume(o Optimizer) {
	var stored [][]float32
	for _, a := range l.rule.State() {
		stored = append(stored, a.Single().Clone().(*tensor.Dense).Float32s())
	}
	l.start(o)
	for i, a := range l.rule.State() {
		if a.Packed() {
			a.Pack(stored[i])
		} else {
			copy(a.Value.Float32s(), stored[i])
		}
	}
	l.rule.Invalidate()
}

// drawnShort is drawn with fewer elements in the last array.
func drawnShort(rng *rand.Rand) []*tensor.Dense {
	all := drawn[float32](rng)
	last := len(all) - 1
	all[last] = denseOf(all[last].Float32s()[:3*elementBlock+5], 3*elementBlock+5)
	return all
}

func packedGradients(rng *rand.Rand, f apoops.Format, scale float64) []graph.Packed {
	var all []graph.Packed
	for _, x := range drawnShort(rng) {
		p := graph.Packed{Format: f, Bits: make([]uint16, x.DataSize()), Scale: scale}
		half.Pack(f, p.Bits, x.Float32s())
		all = append(all, p)
	}
	return all
}

// TestStateIn16BitsHasTheBitsOfEmulatedState takes 30 steps by every rule, in one pass and by
// directions, from gradients in 16 bits, with state in 16 bits and with state in float32 that
// is rounded behind each step. In the middle both go on from what a checkpoint would keep.
func TestStateIn16BitsHasTheBitsOfEmulatedState(t *testing.T) {
	t.Parallel()
	steps := 30
	if raceEnabled {
		steps = 4
	}
	for _, c := range ruleCases() {
		for _, f := range []apoops.Format{apoops.Float16, apoops.BFloat16} {
			for name, settings := range map[string][]precision.Setting{
				"default": nil, "all": {precision.In16Bits(precision.SecondMoments), precision.Nearest()},
				"second": {precision.In16Bits(precision.SecondMoments), precision.InFloat32(precision.Momentum), precision.Stochastic()},
				"master": {precision.MasterWeights()},
			} {
				t.Run(fmt.Sprintf("%s/%v/%s", c.name, f, name), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(16, 1))
					start := drawnShort(rng)
					low, twin := newLowRule(t, c.o, f, settings, start, false), newLowRule(t, c.o, f, settings, start, true)
					for step := range steps {
						g, directions := packedGradients(rng, f, float64(int(1)<<(step%3))), step%4 == 3
						a, b := low.step(step, g, directions), twin.step(step, g, directions)
						for i, d := range a {
							identical(t, "directions", step, d.Float32s(), b[i].Float32s())
						}
						for i, p := range low.params {
							identical(t, "weights", step, p.Value.Float32s(), twin.params[i].Value.Float32s())
						}
						want := twin.rule.State()
						for i, s := range low.rule.State() {
							identical(t, s.Name, step, s.Single().Float32s(), want[i].Value.Float32s())
						}
						if step == steps/2 {
							low.resume(c.o)
							twin.resume(c.o)
						}
					}
				})
			}
		}
	}
}

// TestPackedStepsAllocateNothing is TestRulesAllocateNothing for a training in 16 bits.
func TestPackedStepsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	for _, c := range ruleCases() {
		rng := rand.New(rand.NewPCG(7, 8))
		l := newLowRule(t, c.o, apoops.BFloat16, []precision.Setting{precision.In16Bits(precision.SecondMoments)}, drawnShort(rng), false)
		in, rates, step := Input{Packed: packedGradients(rng, apoops.BFloat16, 1)}, make([]float64, len(l.params)), 0
		run := func() {
			l.p.Begin(step)
			step++
			in.T = step
			if err := l.rule.Fused().Step(in, rates); err != nil {
				t.Fatal(err)
			}
		}
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: %v allocations a step", c.name, n)
		}
	}
}

// TestPackedGradientThatDoesNotFit names its parameter.
func TestPackedGradientThatDoesNotFit(t *testing.T) {
	w := tensor.New(tensor.WithShape(4), tensor.Of(tensor.Float32))
	r, err := SGDm(0.1).Start(&Task{Params: []*graph.Param{{Name: "fc1", Value: w}}})
	if err != nil {
		t.Fatal(err)
	}
	in := Input{T: 1, Packed: []graph.Packed{{Format: apoops.BFloat16, Bits: make([]uint16, 3), Scale: 1}}}
	if err := r.Fused().Step(in, []float64{0.1}); err == nil || !strings.Contains(err.Error(), `"fc1"`) {
		t.Errorf("error %v does not name the parameter", err)
	}
}
