package trainers

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// everyOption has each option in a form that makes sense by itself.
func everyOption() map[string]Option {
	return map[string]Option{
		"EveryK": EveryK(3), "FSD": FSD(0.5), "FSDSchedule": FSDSchedule(Const(0.5)), "WSD": WSD(0.1), "WSDSchedule": WSDSchedule(Const(0.1)),
		"Meta": Meta(MetaSGD(0.01)), "ClipMeta": ClipMeta(1), "RateBounds": RateBounds(1e-6, 1), "LinearRate": LinearRate(),
		"RatePerParam": RatePerParam(), "RateGroups": RateGroups(map[string]int{"dense0": 0, "dense1": 1}),
		"WithSchedule": WithSchedule(Cosine(10, 0)), "Seed": Seed(3), "Dtype": Dtype(tensor.Float32), "Record": Record(new(History)),
		"TildeFrom":      TildeFrom(func(int) ([]*tensor.Dense, error) { return nil, nil }),
		"Blocks":         Blocks(func(p []*graph.Param) ([]graph.Block, error) { return graph.BlockPerParam(p), nil }),
		"SampledTargets": SampledTargets(func(int) []*tensor.Dense { return nil }),
		"Calibrated":     Calibrated(CalibratedConfig{}),
		"FSDFraction":    FSDFraction(0.5),
		"SameBatch":      SameBatch(),
		"CalibrateFrom":  CalibrateFrom(func(int) (graph.Batch, error) { return graph.Batch{}, nil }),
	}
}

// idle lists the options without effect on each kind of rule, by the K at which
// that is an error.
var idle = map[string]map[string]bool{
	"rate":     {"Blocks": true, "SampledTargets": true, "CalibrateFrom": true},
	"fisher":   {"Blocks": true, "CalibrateFrom": true},
	"precond":  {"RateGroups": true, "RatePerParam": true, "LinearRate": true, "RateBounds": true, "SampledTargets": true, "CalibrateFrom": true, "Calibrated": true, "SameBatch": true},
	"relative": {"RateGroups": true, "RatePerParam": true, "LinearRate": true, "RateBounds": true, "SampledTargets": true, "CalibrateFrom": true, "Calibrated": true, "Meta": true, "ClipMeta": true, "SameBatch": true},
	"probes":   {"RateGroups": true, "RatePerParam": true, "LinearRate": true, "RateBounds": true, "SampledTargets": true, "CalibrateFrom": true, "Calibrated": true, "Meta": true, "ClipMeta": true, "FSDFraction": true, "SameBatch": true},
}

// onlyLearning are the options that are left in peace where K is 0.
var onlyLearning = map[string]bool{
	"RateGroups": true, "RatePerParam": true, "LinearRate": true, "RateBounds": true, "Calibrated": true, "Meta": true, "ClipMeta": true, "FSDFraction": true, "SameBatch": true,
}

// TestEveryOptionWithEveryRule gives each option to each rule, with meta-steps and
// without, in New and Wrap. What has no effect must be an error that names option
// and rule.
func TestEveryOptionWithEveryRule(t *testing.T) {
	empirical := KFAC(0.01)
	empirical.Empirical, empirical.KLClip = true, 0
	fisher := EKFAC(0.01)
	fisher.KLClip = 0
	full, trust := PrecondPlain(0.01), precond.TrustRegion(0.01)
	full.FullMatrix = true
	for _, c := range []struct {
		kind string
		o    Optimizer
	}{
		{"rate", SGD(0.01)}, {"rate", SGDm(0.01)}, {"rate", RMSprop(0.01)}, {"rate", Adam(0.01)}, {"rate", AdamW(0.01)},
		{"rate", Shampoo(0.01)}, {"rate", empirical}, {"fisher", fisher}, {"precond", PrecondPlain(0.01)}, {"precond", full},
		{"relative", precond.Relative(0.01)}, {"relative", trust}, {"probes", Precond(0.01)},
	} {
		for name, opt := range everyOption() {
			for _, k := range []int{0, 5} {
				if c.o == trust && k == 0 || name == "EveryK" {
					continue // K = 0 is an error of its own there
				}
				wrong := idle[c.kind][name] && !(k == 0 && onlyLearning[name]) || c.o == full && name == "Blocks"
				_, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, c.o, opt, EveryK(k))
				u := newUserGraph(t, toyTrainer(t, SGD(0.1)), 12)
				opts := []Option{opt, EveryK(k)}
				u.problem.Divergence = graph.CategoricalKL
				_, wrapped := Wrap(u.problem, c.o, opts...)
				for from, err := range map[string]error{"New": err, "Wrap": wrapped} {
					what := from + ": " + c.o.Name() + " with " + name + map[bool]string{true: ", K = 0"}[k == 0]
					switch {
					case !wrong && err != nil:
						if from == "Wrap" && (name == "CalibrateFrom" || name == "FSDFraction") {
							continue
						}
						t.Errorf("%s: %v", what, err)
					case wrong && err == nil:
						t.Errorf("%s is accepted", what)
					case wrong && name != "Calibrated":
						wantError(t, what, err, name, map[bool]string{true: "full matrix", false: c.o.Name()}[c.o == full && name == "Blocks"])
					}
				}
			}
		}
	}
}

// TestOptionsWithoutEffect has the pairs that are no matter of the rule alone.
func TestOptionsWithoutEffect(t *testing.T) {
	calibrated := Calibrated(CalibratedConfig{})
	clipped := KFAC(0.01)
	for what, c := range map[string]struct {
		o    Optimizer
		opts []Option
		want []string
	}{
		"both kinds of groups":     {SGD(0.1), []Option{RatePerParam(), RateGroups(map[string]int{"dense0": 0, "dense1": 0})}, []string{"RatePerParam", "RateGroups"}},
		"a group of nobody":        {SGD(0.1), []Option{RateGroups(map[string]int{"dense0": 0, "dense1": 0, "dense7": 0})}, []string{"RateGroups", `"dense7"`}},
		"the same with K = 0":      {SGD(0.1), []Option{EveryK(0), RateGroups(map[string]int{"dense0": 0, "dense1": 0, "dense7": 0})}, []string{"RateGroups", `"dense7"`}},
		"a huge group":             {SGD(0.1), []Option{RateGroups(map[string]int{"dense0": 0, "dense1": 1 << 40})}, []string{"group 1"}},
		"a rate below the bounds":  {SGD(0.1), []Option{RateBounds(0.2, 1)}, []string{"0.1", "RateBounds(0.2, 1)"}},
		"a rate above the bounds":  {Adam(2), []Option{RateBounds(0.2, 1)}, []string{"2", "adam", "RateBounds(0.2, 1)"}},
		"a rate below all bounds":  {SGD(1e-9), nil, []string{"1e-09", "RateBounds(1e-08, 1000)"}},
		"calibrated, Meta":         {SGD(0.1), []Option{calibrated, Meta(MetaSGD(1))}, []string{"Meta", "Calibrated"}},
		"Meta, calibrated":         {SGD(0.1), []Option{Meta(MetaSGD(1)), calibrated}, []string{"Meta", "Calibrated"}},
		"calibrated, ClipMeta":     {SGD(0.1), []Option{calibrated, ClipMeta(1)}, []string{"ClipMeta", "Calibrated"}},
		"calibrated, WSD":          {SGD(0.1), []Option{calibrated, WSD(1)}, []string{"WSD", "Calibrated"}},
		"calibrated, WSDSchedule":  {SGD(0.1), []Option{calibrated, WSDSchedule(Const(1))}, []string{"WSDSchedule", "Calibrated"}},
		"calibrated, FSD":          {SGD(0.1), []Option{calibrated, FSD(1)}, []string{"FSD", "Calibrated"}},
		"calibrated, FSDSchedule":  {SGD(0.1), []Option{calibrated, FSDSchedule(Const(1))}, []string{"FSDSchedule", "Calibrated"}},
		"calibrated, LinearRate":   {SGD(0.1), []Option{calibrated, LinearRate()}, []string{"LinearRate", "Calibrated"}},
		"calibrated, RatePerParam": {SGD(0.1), []Option{calibrated, RatePerParam()}, []string{"Calibrated", "one rate"}},
		"calibrated, KL clip":      {clipped, []Option{calibrated}, []string{"Calibrated", "kfac", "KLClip"}},
		"calibrated, precond":      {PrecondPlain(1), []Option{calibrated}, []string{"Calibrated", "precond"}},
		"calibrated, trust":        {precond.TrustRegion(1), []Option{calibrated}, []string{"Calibrated", "precond-plain"}},
		"calibrated, FSD(7, …)":    {SGD(0.1), []Option{calibrated, FSD(7, graph.CategoricalKL)}, []string{"FSD", "Calibrated", "divergence alone"}},
		"prodigy, calibrated":      {Prodigy(1), []Option{calibrated}, []string{"Calibrated", "prodigy", "EveryK"}},
		"prodigy, weight decay":    {Prodigy(1), []Option{LearnWeightDecay()}, []string{"LearnWeightDecay", "prodigy", "EveryK"}},
		"dog, FSD":                 {DoG(1), []Option{FSD(1)}, []string{"FSD", "dog", "EveryK"}},
		"no calibration":           {SGD(0.1), []Option{CalibrateFrom(func(int) (graph.Batch, error) { return graph.Batch{}, nil })}, []string{"CalibrateFrom", "Calibrated"}},
	} {
		_, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, c.o, c.opts...)
		if err == nil {
			t.Errorf("%s is accepted", what)
			continue
		}
		wantError(t, what, err, c.want...)
	}
	for what, c := range map[string]struct {
		o    Optimizer
		opts []Option
	}{
		"all off":         {SGD(0.1), []Option{calibrated, FSD(0), WSD(0), ClipMeta(0)}},
		"a divergence":    {SGD(0.1), []Option{calibrated, FSD(1, graph.CategoricalReverseKL)}},
		"K = 0":           {SGD(math.MaxFloat32), []Option{EveryK(0), Meta(MetaSGD(1)), ClipMeta(1), LinearRate(), RateBounds(0.2, 1), RatePerParam(), FSD(1), WSD(1), calibrated}},
		"prodigy, K = 0":  {Prodigy(1), []Option{EveryK(0), calibrated}},
		"K = 0, relative": {precond.Relative(1), []Option{EveryK(0), Meta(MetaSGD(1)), RatePerParam()}},
	} {
		if _, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, c.o, c.opts...); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	u := newUserGraph(t, toyTrainer(t, SGD(0.1)), 12)
	_, err := Wrap(u.problem, SGD(0.1), EveryK(0), Dtype(tensor.Float64))
	wantError(t, "another dtype", err, "Dtype(float64)", "float32")
	if _, err := Wrap(u.problem, SGD(0.1), EveryK(0), Dtype(tensor.Float32)); err != nil {
		t.Error(err)
	}
}
