package trainers

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/precond"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

func TestInvalidHyperparameters(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		o     Optimizer
		field string
	}{
		{SGD(0), "lr"},
		{SGD(-0.1), "lr"},
		{SGD(nan), "lr"},
		{SGD(inf), "lr"},
		{&rule.SGDConfig{LR: 1, Momentum: 1}, "momentum"},
		{&rule.SGDConfig{LR: 1, Momentum: -0.5}, "momentum"},
		{&rule.SGDConfig{LR: 1, Momentum: nan}, "momentum"},
		{&rule.SGDConfig{LR: 1, Nesterov: true}, "momentum"},
		{&rule.SGDConfig{LR: 1, WeightDecay: -1}, "weight_decay"},
		{RMSprop(nan), "lr"},
		{&rule.RMSpropConfig{LR: 1, Decay: 1}, "decay"},
		{&rule.RMSpropConfig{LR: 1, Decay: nan}, "decay"},
		{&rule.RMSpropConfig{LR: 1, Eps: -1}, "eps"},
		{&rule.RMSpropConfig{LR: 1, Eps: inf}, "eps"},
		{&rule.RMSpropConfig{LR: 1, Momentum: 1}, "momentum"},
		{&rule.RMSpropConfig{LR: 1, WeightDecay: nan}, "weight_decay"},
		{Adam(-1), "lr"},
		{AdamW(nan), "lr"},
		{&rule.AdamConfig{LR: 1, Beta1: 1}, "beta1"},
		{&rule.AdamConfig{LR: 1, Beta2: 1}, "beta2"},
		{&rule.AdamConfig{LR: 1, Beta2: nan}, "beta2"},
		{&rule.AdamConfig{LR: 1, Eps: nan}, "eps"},
		{&rule.AdamConfig{LR: 1, WeightDecay: -1}, "weight_decay"},
		{&rule.NAdamWConfig{LR: 1, Beta1: 1}, "beta1"},
		{&rule.NAdamWConfig{LR: 1, MomentumDecay: -1}, "momentum_decay"},
		{&rule.SGDHDConfig{LR: 1, HyperLR: -1}, "hyper_lr"},
		{&rule.AdamHDConfig{LR: 1, HyperLR: nan}, "hyper_lr"},
		{&rule.AdamHDConfig{LR: 1, Beta2: 1}, "beta2"},
		{&rule.HDMHBConfig{LR: 1, MomentumLR: -1}, "momentum_lr"},
		{&rule.HDMHBConfig{LR: 1, MaxMomentum: 1}, "max_momentum"},
		{&rule.HDMHBConfig{LR: 1, Tau: nan}, "tau"},
		{&rule.DoGConfig{LR: 1}, "reps_rel"},
		{&rule.DoGConfig{LR: 1, RelDist: 1}, "eps"},
		{&rule.ProdigyConfig{LR: 1}, "eps"},
		{&rule.ProdigyConfig{LR: 1, Eps: 1}, "d0"},
		{&rule.ProdigyConfig{LR: 1, Eps: 1, D0: 1}, "d_coef"},
		{&rule.ProdigyConfig{LR: 1, Eps: 1, D0: 1, DCoef: 1, GrowthRate: 0.5}, "growth_rate"},
		{&rule.DAdaptAdamConfig{LR: 1}, "d0"},
		{&rule.DAdaptAdamConfig{LR: 1, D0: 1, GrowthRate: inf}, "growth_rate"},
		{&rule.SOAPConfig{LR: 1, Beta2: 1}, "beta2"},
		{&rule.SOAPConfig{LR: 1}, "basis_every"},
		{&rule.SOAPConfig{LR: 1, BasisEvery: 1, MaxDim: -1}, "max_dim"},
		{&rule.PSGDKronConfig{LR: 1}, "precond_lr"},
		{&rule.PSGDKronConfig{LR: 1, PrecondLR: 1}, "precond_lr"},
		{&rule.PSGDKronConfig{LR: 1, PrecondLR: 0.1}, "min_probability"},
		{&rule.PSGDKronConfig{LR: 1, PrecondLR: 0.1, MinProbability: 1, Anneal: nan}, "anneal"},
		{&rule.PSGDKronConfig{LR: 1, PrecondLR: 0.1, MinProbability: 1, FlatSteps: -1}, "flat_steps"},
		{&rule.PSGDKronConfig{LR: 1, PrecondLR: 0.1, MinProbability: 1, Balance: 2}, "balance"},
		{&rule.PSGDKronConfig{LR: 1, PrecondLR: 0.1, MinProbability: 1, MaxRMS: -1}, "max_rms"},
		{&rule.MechanicConfig{Base: SGD(1), Betas: []float64{1}}, "betas"},
		{&rule.MechanicConfig{Base: SGD(1), Betas: []float64{0}}, "s_init"},
		{&rule.MechanicConfig{Base: SGD(1), Betas: []float64{0}, SInit: 1, Lambda: -1}, "lambda"},
		{&rule.MechanicConfig{Base: SGD(1), Betas: []float64{0}, SInit: 1}, "eps"},
		{&rule.MuonConfig{LR: 1, Scale: "rms"}, "steps"},
		{&rule.MuonConfig{LR: 1, Scale: "large"}, "scale"},
		{&rule.MuonConfig{LR: 1, Scale: "spectral", Steps: 1}, "adam_lr"},
		{&rule.ScheduleFreeConfig{LR: 1}, "beta"},
		{&rule.ScheduleFreeConfig{LR: 1, Beta: 0.5, WarmUp: -1}, "warm_up"},
		{&rule.ScheduleFreeConfig{LR: 1, Beta: 0.5, R: -1}, "r"},
		{PrecondPlain(-1), "lr"},
		{&precond.PlainConfig{LR: 1, MomentumMode: "heavy", Dampening: 1}, "momentum_mode"},
		{&precond.PlainConfig{LR: 1, MomentumMode: precond.MomentumPlain, Momentum: 1, Dampening: 1}, "momentum"},
		{&precond.PlainConfig{LR: 1, MomentumMode: precond.MomentumPlain}, "dampening"},
		{&precond.PlainConfig{LR: 1, MomentumMode: precond.MomentumNone, Dampening: 1, MaxDim: -1}, "max_dim"},
		{&curvature.KFACConfig{LR: 1}, "damping"},
		{&curvature.KFACConfig{LR: 1, Damping: 1, CovDecay: 1}, "cov_decay"},
		{&curvature.KFACConfig{LR: 1, Damping: 1, KLClip: -1}, "kl_clip"},
		{&curvature.KFACConfig{LR: 1, Damping: 1}, "factor_every"},
		{&curvature.KFACConfig{LR: 1, Damping: 1, FactorEvery: 1}, "inverse_every"},
		{&curvature.KFACConfig{LR: 1, Damping: 1, FactorEvery: 1, InverseEvery: 1, MaxDim: -1}, "max_dim"},
		{&curvature.EKFACConfig{LR: 1, Damping: nan}, "damping"},
		{&curvature.EKFACConfig{LR: 1, Damping: 1, FactorEvery: 1}, "basis_every"},
		{&curvature.EKFACConfig{LR: 1, Damping: 1, FactorEvery: 1, BasisEvery: 1}, "scale_every"},
		{&curvature.SINGDConfig{LR: 1, Damping: -1}, "damping"},
		{&curvature.SINGDConfig{LR: 1}, "factor_lr"},
		{&curvature.SINGDConfig{LR: 1, FactorLR: 1, FactorMomentum: 0.5, KFACLike: true}, "factor_momentum"},
		{&curvature.SINGDConfig{LR: 1, FactorLR: 1}, "factor_every"},
		{&curvature.SINGDConfig{LR: 1, FactorLR: 1, FactorEvery: 1, MaxDim: -1}, "max_dim"},
		{&curvature.ShampooConfig{LR: 1, Grafting: "adamw"}, "grafting"},
		{&curvature.ShampooConfig{LR: 1, Grafting: "none"}, "eps"},
		{&curvature.ShampooConfig{LR: 1, Grafting: "none", Eps: 1}, "beta2"},
		{&curvature.ShampooConfig{LR: 1, Grafting: "none", Eps: 1, Beta2: 1}, "root_every"},
		{&curvature.ShampooConfig{LR: 1, Grafting: "none", Eps: 1, Beta2: 1, RootEvery: 1, BlockSize: -1}, "block_size"},
	} {
		err := c.o.Validate()
		if err == nil || !strings.Contains(err.Error(), c.o.Name()+": "+c.field+" is ") {
			t.Errorf("%+v: error %v does not name %s", c.o, err, c.field)
		}
	}
}

func TestNewOptimizer(t *testing.T) {
	for _, name := range OptimizerNames() {
		o, err := NewOptimizer(name, 0.25, nil)
		if err != nil || o.Name() != name || o.LearningRate() != 0.25 {
			t.Errorf("%s: got %+v, %v", name, o, err)
		}
	}
	o, err := NewOptimizer("adam", 0.25, json.RawMessage(`{"beta2": 0.98}`))
	if c, ok := o.(*rule.AdamConfig); err != nil || !ok || c.Beta1 != 0.9 || c.Beta2 != 0.98 {
		t.Errorf("settings gave %+v, %v", o, err)
	}
}

// TestDefaultRate has each optimizer accept its own default.
func TestDefaultRate(t *testing.T) {
	for _, name := range OptimizerNames() {
		rate, err := DefaultRate(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewOptimizer(name, rate, nil); err != nil {
			t.Errorf("%s at %v: %v", name, rate, err)
			continue
		}
		if rate == 0 {
			t.Errorf("%s starts at %v", name, rate)
		}
	}
	if _, err := DefaultRate("sdg"); err == nil {
		t.Error("unknown name: no error")
	}
}

func TestNewOptimizerErrors(t *testing.T) {
	for _, c := range []struct {
		name, settings string
		lr             float64
		want           []string
	}{
		{"sdg", "", 1, append(OptimizerNames(), `"sdg"`)},
		{"adam", `{"beta3": 0.9}`, 1, []string{"adam", "beta3"}},
		{"adam", `{"beta1": 1}`, 1, []string{"adam", "beta1"}},
		{"adam", `{"beta1": "high"}`, 1, []string{"adam", "beta1"}},
		{"adam", `{"beta1": 0.5`, 1, []string{"adam", "EOF"}},
		{"sgdm", `{"nesterov": true, "momentum": 0}`, 1, []string{"momentum", "Nesterov"}},
		{"rmsprop", "", -1, []string{"rmsprop", "lr"}},
	} {
		_, err := NewOptimizer(c.name, c.lr, json.RawMessage(c.settings))
		if err == nil {
			t.Errorf("%s %s: no error", c.name, c.settings)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s %s: %q does not mention %q", c.name, c.settings, err, w)
			}
		}
	}
}

func TestRegisterOptimizer(t *testing.T) {
	one := func(lr float64) Optimizer { return &lionConfig{LR: lr, Beta1: 0.9, Beta2: 0.99} }
	if err := RegisterOptimizer("lion", 1e-4, one); err != nil {
		t.Fatal(err)
	}
	defer delete(optimizers.byName, "lion")
	o, err := NewOptimizer("lion", 0.25, json.RawMessage(`{"beta2": 0.98}`))
	if c, ok := o.(*lionConfig); err != nil || !ok || c.LR != 0.25 || c.Beta1 != 0.9 || c.Beta2 != 0.98 {
		t.Errorf("made %+v, %v", o, err)
	}
	if rate, err := DefaultRate("lion"); rate != 1e-4 || err != nil {
		t.Errorf("default rate %v, %v", rate, err)
	}
	for what, err := range map[string]error{
		"already":   RegisterOptimizer("adam", 1e-3, func(lr float64) Optimizer { return Adam(lr) }),
		"that name": RegisterOptimizer("tiger", 1e-3, one),
		"function":  RegisterOptimizer("tiger", 1e-3, nil),
		`""`:        RegisterOptimizer("", 1e-3, one),
	} {
		wantError(t, what, err, what)
	}
}

// TestFormerNames: names of versions 0.1 and 0.2 make the same optimizers, in
// NewOptimizer, in DefaultRate and in checkpoints.
func TestFormerNames(t *testing.T) {
	const now = precond.PlainName
	for former, trust := range map[string]float64{"precond-above": 0, "precond-relative": 0, "precond-trust": 0.1, "precond-trust-region": 0.1} {
		o, err := NewOptimizer(former, 0.5, json.RawMessage(`{"relative": {"warm_up": 1}}`))
		if err != nil || o.Name() != now || o.(*precond.PlainConfig).Relative.WarmUp != 1 || o.(*precond.PlainConfig).Relative.Trust != trust {
			t.Fatalf("%s: got %+v, %v", former, o, err)
		}
		if rate, err := DefaultRate(former); err != nil || rate != 0 {
			t.Errorf("%s starts at %v, %v", former, rate, err)
		}
		if slices.Contains(OptimizerNames(), former) {
			t.Errorf("%s is listed", former)
		}
		if err := RegisterOptimizer(former, 0, func(float64) Optimizer { return named{SGD(1), former} }); err == nil {
			t.Errorf("%s was registered for another optimizer", former)
		}
		start := func() *Trainer { return toyTrainer(t, o, EveryK(1)) }
		tr, twin := start(), start()
		if _, err := tr.Step(rowsOf(toyData(t, tensor.Float32), 0, 10)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "now")
		if err := tr.Save(path); err != nil {
			t.Fatal(err)
		}
		s, err := checkpoint.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		written := s.Meta
		s.Meta = bytes.Replace(s.Meta, []byte(strconv.Quote(now)), []byte(strconv.Quote(former)), 1)
		if bytes.Equal(s.Meta, written) {
			t.Fatalf("the checkpoint does not name %s: %s", now, written)
		}
		if err := checkpoint.Write(path, s); err != nil {
			t.Fatal(err)
		}
		if err := twin.Load(path); err != nil {
			t.Fatalf("a checkpoint of %s: %v", former, err)
		}
		sameBits(t, former, tr.engine, twin.engine)
		if err := toyTrainer(t, PrecondPlain(0.5), EveryK(1)).Load(path); err == nil {
			t.Errorf("the plain form loads a checkpoint of %s", former)
		}
	}
}

// named is an optimizer of another name.
type named struct {
	Optimizer
	name string
}

func (n named) Name() string { return n.name }
