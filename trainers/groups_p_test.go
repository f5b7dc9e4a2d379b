package trainers

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"
)

// groupsWithP have a group of APO-Precond each.
func groupsWithP() map[string]Optimizer {
	lowRank, adamw, first := Precond(0.05), AdamW(0.005), []string{"dense0"}
	lowRank.Rank, lowRank.WarmUp, lowRank.Frequent = 2, 3, 5
	return map[string]Optimizer{
		"low rank": Groups(adamw, Group{Params: first, Optimizer: lowRank}),
		"plain":    Groups(SGDm(0.05), Group{Params: first, Optimizer: PrecondPlain(0.05), Schedule: StepDecay(0.5, 6)}),
		"the rest": Groups(lowRank, Group{Params: first, Optimizer: Muon(0.02)}),
		"frozen":   Groups(lowRank, Group{Params: first, Frozen: true}),
	}
}

// TestGroupsWithP trains APO-Precond beside rules: both sides learn, a run that is resumed
// goes on with the same bits, and several members have those of one.
func TestGroupsWithP(t *testing.T) {
	for name, o := range groupsWithP() {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			t.Run(fmt.Sprintf("%s/%v", name, dt), func(t *testing.T) {
				opts := []Option{Dtype(dt), EveryK(3), Seed(4)}
				whole, start := toyTrainer(t, o, opts...), toyTrainer(t, o, opts...)
				run(t, whole, 0, 20)
				for i, p := range whole.Phi() {
					if slices.Equal(numbers(p.Value), numbers(start.Phi()[i].Value)) {
						t.Errorf("%s has not moved", p.Name)
					}
				}
				resumesExactly(t, func() *Trainer { return toyTrainer(t, o, opts...) }, 3, 8)
			})
		}
		t.Run(name+" divided", func(t *testing.T) { toyTask(t).compare(t, func() Optimizer { return groupsWithP()[name] }) })
	}
}

// TestGroupsWithPLearnBesideAnyRule: P is learned by default, also beside a rule that has no
// meta-steps by default; EveryK(0) switches them off.
func TestGroupsWithPLearnBesideAnyRule(t *testing.T) {
	lowRank := Precond(0.05)
	lowRank.Rank, lowRank.WarmUp, lowRank.Frequent = 2, 3, 5
	for _, o := range []Optimizer{DoG(1), Prodigy(1), Mechanic(SGD(0.1)), AdamW(0.005)} {
		for _, c := range []Optimizer{Groups(o, Group{Params: []string{"dense0"}, Optimizer: lowRank}), Groups(lowRank, Group{Params: []string{"dense0"}, Optimizer: o})} {
			tr, off := toyTrainer(t, c), toyTrainer(t, c, EveryK(0))
			start := toyTrainer(t, c).Phi()
			run(t, tr, 0, 12)
			run(t, off, 0, 12)
			for i, p := range tr.Phi() {
				if before := numbers(start[i].Value); slices.Equal(numbers(p.Value), before) || !slices.Equal(numbers(off.Phi()[i].Value), before) {
					t.Errorf("%s: %s has not moved, or has with EveryK(0)", o.Name(), p.Name)
				}
			}
		}
	}
}

// TestGroupsWithPGradients compares ∂Q/∂φ of the rates at step 12 and of P at step 20, where
// its group alone has a meta-step and none on the rates ends, with central differences of Q.
func TestGroupsWithPGradients(t *testing.T) {
	o := groupsWithP()["plain"]
	opts := []Option{Dtype(tensor.Float64), EveryK(3), FSD(0.5), WSD(0.3), Meta(MetaSGD(1e-300))}
	for _, at := range []int{12, 20} {
		path := filepath.Join(t.TempDir(), "checkpoint")
		tr := toyTrainer(t, o, opts...)
		run(t, tr, 0, at)
		if err := tr.Save(path); err != nil {
			t.Fatal(err)
		}
		q := func(j int, by float64) (float64, []NamedTensor) {
			tr := toyTrainer(t, o, opts...)
			run(t, tr, 0, 2) // MetaGradient has those of both sides
			if err := tr.Load(path); err != nil {
				t.Fatal(err)
			}
			tr.Phi()[j].Value.Float64s()[0] += by
			return lookahead(t, tr, at), tr.LastMetaGradient()
		}
		_, gradient := q(0, 0)
		compared := 0
		for j, g := range gradient {
			if strings.HasPrefix(g.Name, "lr/") != (at == 12) {
				continue
			}
			compared++
			const h = 1e-3
			f := func(by float64) float64 { v, _ := q(j, by); return v }
			numeric := (8*(f(h)-f(-h)) - (f(2*h) - f(-2*h))) / (12 * h)
			if d := first(g.Value); !(math.Abs(d-numeric) <= 1e-6*math.Abs(numeric)+1e-10) {
				t.Errorf("step %d: ∂Q/∂ %s is %v, central differences give %v", at, g.Name, d, numeric)
			}
		}
		if compared == 0 {
			t.Errorf("step %d: nothing to compare", at)
		}
	}
}
