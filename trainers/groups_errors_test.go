package trainers

import (
	"maps"
	"math"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// TestGroupErrors has groups that do not fit refused, with what is wrong by its name.
func TestGroupErrors(t *testing.T) {
	group := func(pattern string) Group { return Group{Params: []string{pattern}} }
	decayed := Prodigy(1)
	decayed.WeightDecay = 0.1
	two := Groups(SGD(0.1), group("dense0"))
	for what, c := range map[string]struct {
		o    Optimizer
		opts []Option
		want []string
	}{
		"unknown pattern":    {Groups(SGD(0.1), Group{Params: []string{"dense0", "dnse*"}}), nil, []string{"group 0", `"dnse*"`, "dense0, norm1/gain"}},
		"unknown kind":       {Groups(SGD(0.1), Group{Kinds: []string{"normm"}}), nil, []string{"group 0", `"normm"`, "dense, norm"}},
		"no parameters":      {Groups(SGD(0.1), group("dense0"), Group{}), nil, []string{"group 1", "neither Params nor Kinds"}},
		"malformed":          {Groups(SGD(0.1), group("dense[")), nil, []string{"group 0", `"dense["`, "malformed"}},
		"overlap":            {Groups(SGD(0.1), group("dense*"), group("*"), group("norm*")), nil, []string{`"dense0"`, "groups 0 and 1"}},
		"overlap by kind":    {Groups(SGD(0.1), group("dense2"), Group{Kinds: []string{"dense"}}), nil, []string{`"dense2"`, "groups 0 and 1"}},
		"no rest":            {Groups(nil, group("dense0")), nil, []string{"the rest", "no optimizer"}},
		"wrong rest":         {Groups(SGD(-1)), nil, []string{"the rest", "lr is -1"}},
		"wrong rule":         {Groups(SGD(0.1), Group{Params: []string{"dense0"}, Optimizer: Adam(-2)}), nil, []string{"group 0", "lr is -2"}},
		"wrong schedule":     {Groups(SGD(0.1), Group{Params: []string{"dense0"}, Schedule: Cosine(0, 0)}), nil, []string{"group 0", "Cosine"}},
		"frozen with a rule": {Groups(SGD(0.1), Group{Params: []string{"dense0"}, Optimizer: Adam(1), Frozen: true}), nil, []string{"group 0", "Frozen"}},
		"all frozen":         {Groups(SGD(0.1), Group{Params: []string{"*"}, Frozen: true}), nil, []string{"no parameters to learn"}},
		"within":             {Groups(SGD(0.1), Group{Params: []string{"dense0"}, Optimizer: two}), nil, []string{"group 0", "groups within groups"}},
		"mechanic":           {Mechanic(two), nil, []string{"mechanic-groups"}},
		"as meta":            {SGD(0.1), []Option{Meta(two)}, []string{"groups cannot be a meta-optimizer"}},
		"decay of sums":      {Groups(decayed), nil, []string{"the rest", "prodigy", "DecayAll"}},
		"RateGroups":         {two, []Option{RateGroups(map[string]int{"dense0": 0})}, []string{"RateGroups has no effect with groups"}},
		"bounds":             {Groups(SGD(0.1), Group{Params: []string{"dense0"}, Optimizer: SGD(5)}), []Option{RateBounds(0.01, 1)}, []string{"learning rate 5", `"dense0"`}},
		"different decay": {Groups(AdamW(0.1), Group{Params: []string{"dense0"}, Optimizer: decayedSGD(0.2)}), []Option{LearnWeightDecay()},
			[]string{"weight_decay", "0.01 and 0.2", "different groups"}},
		"Calibrated and P": {Groups(SGD(0.1), Group{Params: []string{"dense0"}, Optimizer: Precond(0.1)}), []Option{Calibrated(CalibratedConfig{})}, []string{"Calibrated has no effect"}},
		"iterates and P":   {Groups(ScheduleFreeSGD(0.1), Group{Params: []string{"dense0"}, Optimizer: Precond(0.1)}), nil, []string{"the rest: schedule-free", "beside APO-Precond"}},
		"start":            {Groups(SGD(0.1), Group{Params: []string{"norm*"}, Optimizer: namingMuon("dense9")}), nil, []string{"group 0", `"dense9"`}},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := New(normedNet(), toyLoss, c.o, c.opts...)
			wantError(t, what, err, c.want...)
		})
	}
	tr := toyTrainer(t, SGD(0.1))
	u := newUserGraph(t, tr, 12)
	_, err := Wrap(u.problem, Groups(SGD(0.1), Group{Kinds: []string{"dense"}}), EveryK(0))
	wantError(t, "kinds of a user's graph", err, `kind "dense"`, "by name")
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := toyTrainer(t, two).Save(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, "other groups", toyTrainer(t, Groups(SGD(0.1), group("dense1"))).Load(path), "optimizer settings", "dense0")
	wantError(t, "another schedule", toyTrainer(t, Groups(SGD(0.1), Group{Params: []string{"dense0"}, Schedule: StepDecay(0.5, 3)})).Load(path), "StepDecay")
}

func decayedSGD(decay float64) Optimizer {
	c := SGD(0.1)
	c.WeightDecay = decay
	return c
}

// namingMuon has AdamW move a parameter of that name.
func namingMuon(name string) Optimizer {
	c := Muon(0.1)
	c.AdamW = []string{name}
	return c
}

// TestCalibratedInOneGroup has one rate for all that learns, with a layer frozen.
func TestCalibratedInOneGroup(t *testing.T) {
	tr := toyTrainer(t, Groups(Adam(1e-5), Group{Params: []string{"dense0"}, Frozen: true}), Calibrated(CalibratedConfig{}), EveryK(3))
	run(t, tr, 0, 20)
	if r := tr.Rates(); len(r) != 1 || r[0] < 1e-4 {
		t.Errorf("rates %v", r)
	}
}

// TestGroupsOfUserGraph has the bias of a pair, and 1×n parameters, without weight decay.
func TestGroupsOfUserGraph(t *testing.T) {
	build := func(o Optimizer) (*Trainer, *stockNet) {
		s := newStockNet(tensor.Float64, 4, stockNets["mlp"])
		return fromStock(t, s, o, EveryK(0)), s
	}
	all := Groups(AdamW(0.01))
	all.DecayAll = true
	with, a := build(all)
	skips, b := build(Groups(AdamW(0.01)))
	trainStock(t, a, with, 0, 2) // in the first the biases are 0
	trainStock(t, b, skips, 0, 2)
	biases := 0
	for i, p := range skips.Params() {
		got, want := numbers(p.Value), numbers(with.Params()[i].Value)
		bias := p.Value.Dims() == 1 || p.Value.Shape()[0] == 1
		if bias {
			biases++
		}
		if nearAll(got, want, 0) == bias {
			t.Errorf("%s of shape %v: the weight decay is wrong", p.Name, p.Value.Shape())
		}
	}
	if biases == 0 {
		t.Fatal("the graph has no biases")
	}
}

// TestGroupsIn16Bits keeps weights of all groups, moved one way or another, in the format.
func TestGroupsIn16Bits(t *testing.T) {
	all := groupsWithP()
	maps.Copy(all, groupedRules())
	for name, o := range all {
		tr := toyTrainer(t, o, Precision(apoops.BFloat16), EveryK(3))
		run(t, tr, 0, 12)
		for _, p := range tr.Params() {
			for _, v := range p.Value.Float32s() {
				if math.Float32bits(v)&0xffff != 0 {
					t.Fatalf("%s: %s has %v", name, p.Name, v)
				}
			}
		}
	}
}

// TestKinds has the kinds of layers, within residual blocks and attention too.
func TestKinds(t *testing.T) {
	model := layers.Sequential(layers.Conv(1, 2, 3, apoops.ReLUAct), layers.Residual(layers.BatchNorm(2, apoops.ReLUAct), layers.Conv(2, 2, 1, apoops.Identity)),
		layers.Flatten(), layers.Dense(32, 2, apoops.Identity))
	params, err := model.Init(1, tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"conv0": "conv", "residual1/bn0/scale": "bn", "residual1/conv1": "conv", "dense2": "dense"}
	for _, p := range params {
		if k, ok := want[p.Name]; ok && p.Kind != k {
			t.Errorf("%s is of kind %q", p.Name, p.Kind)
		}
		delete(want, p.Name)
	}
	if len(want) > 0 {
		t.Errorf("no %v among %v", want, graph.Learned(params))
	}
}
