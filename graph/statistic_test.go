package graph

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// tracking is a model of the tests, dense - normalisation - dense, that normalises
// by its running statistics in every pass, so that whoever reads others is found
// out. As a twin it has them as inputs of the batch instead.
type tracking struct{ twin bool }

func (m tracking) Init(seed uint64, dt tensor.Dtype) ([]*Param, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	mean, l0, scale := random(rng, 1, 4), random(rng, 1, 4, 4), random(rng, 1, 4)
	variance, shift, l1 := random(rng, 1, 4), random(rng, 1, 4), random(rng, 1, 5, 3)
	for i, v := range variance.Float64s() {
		variance.Float64s()[i] = 1 + v*v
	}
	params := []*Param{
		{Name: "mean", Value: mean, Statistic: true}, {Name: "l0", Value: l0, Matrix: true}, {Name: "scale", Value: scale},
		{Name: "variance", Value: variance, Statistic: true}, {Name: "shift", Value: shift}, {Name: "l1", Value: l1, Matrix: true},
	}
	if m.twin {
		return Learned(params), nil
	}
	return params, nil
}

const trackingRate = 0.25

func (m tracking) Output(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	if m.twin {
		theta = gorgonia.Nodes{x[1], theta[0], theta[1], x[2], theta[2], theta[3]}
	}
	mean, l0, scale, variance, shift, l1 := theta[0], theta[1], theta[2], theta[3], theta[4], theta[5]
	h, err := p.Layer("l0", func() (*gorgonia.Node, error) { return apoops.Dense(x[0], l0, apoops.TanhAct) })
	if err != nil {
		return nil, err
	}
	z, err := p.Layer("bn", func() (*gorgonia.Node, error) {
		_, batchMean, batchVariance, err := apoops.BatchNorm(h, scale, shift, 0.1, apoops.Identity)
		if err != nil {
			return nil, err
		}
		if !m.twin {
			p.Track(mean, batchMean, trackingRate)
			p.Track(variance, batchVariance, trackingRate)
		}
		return apoops.BatchNormWith(h, scale, shift, mean, variance, 0.1, apoops.Identity)
	})
	if err != nil {
		return nil, err
	}
	return p.Layer("l1", func() (*gorgonia.Node, error) { return apoops.Dense(z, l1, apoops.Identity) })
}

// trackingPair is a model, its twin and a problem for each, with statistics and
// inputs of equal values.
func trackingPair(t *testing.T) (params, twins []*Param, own, other problem) {
	t.Helper()
	params, err := tracking{}.Init(4, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	if twins, err = (tracking{twin: true}).Init(4, tensor.Float64); err != nil {
		t.Fatal(err)
	}
	own = problems(rand.New(rand.NewPCG(23, 1)), 3, 3)[0]
	other = own
	given := []*tensor.Dense{params[0].Value.Clone().(*tensor.Dense), params[3].Value.Clone().(*tensor.Dense)}
	other.batch.X = append([]*tensor.Dense{own.batch.X[0]}, given...)
	other.tilde = append([]*tensor.Dense{own.tilde[0]}, given...)
	return params, twins, own, other
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func equalBits(t *testing.T, what string, a, b []float64) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d and %d elements", what, len(a), len(b))
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			t.Fatalf("%s: element %d is %v and %v", what, i, a[i], b[i])
		}
	}
}

// TestStatisticsFollowTheBatch compares the statistics after runs and moves with
// sums of the test's own: a run moves nothing, a move once by the rate.
func TestStatisticsFollowTheBatch(t *testing.T) {
	params, _, own, _ := trackingPair(t)
	base, err := NewBase(Objective{Model: tracking{}, Loss: own.loss}, params, own.batch, nil)
	must(t, err)
	mean, variance := params[0].Value.Float64s(), params[3].Value.Float64s()
	for range 3 {
		wantMean, wantVariance := append([]float64(nil), mean...), append([]float64(nil), variance...)
		must(t, base.Feed(own.batch), base.Run())
		equalBits(t, "mean after a run", mean, wantMean)
		equalBits(t, "variance after a run", variance, wantVariance)
		x, w := own.batch.X[0].Float64s(), params[1].Value.Float64s()
		const n = 6
		for c := range 4 {
			var h [n]float64
			var m, v float64
			for i := range h {
				h[i] = math.Tanh(x[3*i]*w[c] + x[3*i+1]*w[4+c] + x[3*i+2]*w[8+c] + w[12+c])
				m += h[i] / n
			}
			for _, y := range h {
				v += (y - m) * (y - m) / (n - 1)
			}
			wantMean[c] = (1-trackingRate)*wantMean[c] + trackingRate*m
			wantVariance[c] = (1-trackingRate)*wantVariance[c] + trackingRate*v
		}
		must(t, base.MoveStatistics())
		near(t, "mean", mean, wantMean)
		near(t, "variance", variance, wantVariance)
		for i := range w {
			w[i] *= 1.5 // the next step's weights
		}
	}
}

// TestStatisticsAreConstants compares gradients, curvature, Q and ∂Q/∂φ of every
// lookahead with those of the twin that has the statistics as inputs, bit for bit.
func TestStatisticsAreConstants(t *testing.T) {
	params, twins, own, other := trackingPair(t)
	src, twin := Objective{Model: tracking{}, Loss: own.loss}, Objective{Model: tracking{twin: true}, Loss: own.loss}
	a, err := NewBase(src, params, own.batch, nil)
	must(t, err)
	b, err := NewBase(twin, twins, other.batch, nil)
	must(t, err)
	must(t, a.Feed(own.batch), a.Run(), b.Feed(other.batch), b.Run())
	equalBits(t, "loss", []float64{a.LossValue()}, []float64{b.LossValue()})
	ga, err := a.Grads()
	must(t, err)
	gb, err := b.Grads()
	must(t, err)
	if len(ga) != 4 || len(gb) != 4 {
		t.Fatalf("%d and %d gradients", len(ga), len(gb))
	}
	for i := range ga {
		equalBits(t, "gradient of "+twins[i].Name, ga[i].Float64s(), gb[i].Float64s())
	}

	blocks := BlockPerParam(params)
	ka, err := NewCurvature(CurvatureConfig{Source: src, Params: params, Blocks: blocks, Batch: own.batch})
	must(t, err)
	kb, err := NewCurvature(CurvatureConfig{Source: twin, Params: twins, Blocks: blocks, Batch: other.batch})
	must(t, err)
	must(t, ka.Feed(own.batch), ka.RunFor(true, false), kb.Feed(other.batch), kb.RunFor(true, false))
	for _, i := range []int{0, 3} {
		aa, ag, err := ka.Moments(i)
		must(t, err)
		ba, bg, err := kb.Moments(i)
		must(t, err)
		equalBits(t, "Ā", aa.Float64s(), ba.Float64s())
		equalBits(t, "Ḡ", ag.Float64s(), bg.Float64s())
	}

	for name, look := range map[string]Lookahead{
		"rates": RateLookahead{Group: []int{1, 0, 2, 0}}, "precond": PrecondLookahead{blocks},
		"full": PrecondLookahead{OneBlock(params)}, "free": Free{},
	} {
		phi, inputs := arraysFor(rand.New(rand.NewPCG(29, 1)), look, twins)
		run := func(src Source, params []*Param, pr problem) (Terms, []*tensor.Dense) {
			p, err := NewProximal(ProximalConfig{Source: src, Params: params, Lookahead: look, Batch: pr.batch, Tilde: pr.tilde})
			must(t, err)
			must(t, p.Feed(pr.batch, pr.tilde), p.FeedWeights(0.7, 0.3), p.FeedStep(phi, inputs, 0.8), p.Run())
			d := make([]*tensor.Dense, len(phi))
			for i := range d {
				d[i] = phi[i].Clone().(*tensor.Dense)
			}
			must(t, p.Gradient(d))
			return p.Terms(), d
		}
		ta, da := run(src, params, own)
		tb, db := run(twin, twins, other)
		if ta != tb || ta.FSD <= 0 || ta.WSD <= 0 {
			t.Fatalf("%s: terms %+v and %+v", name, ta, tb)
		}
		for i := range da {
			equalBits(t, name+": ∂Q/∂φ", da[i].Float64s(), db[i].Float64s())
		}
	}
	equalBits(t, "mean afterwards", params[0].Value.Float64s(), other.batch.X[1].Float64s())
	equalBits(t, "variance afterwards", params[3].Value.Float64s(), other.batch.X[2].Float64s())
}

// TestNonFiniteStatistics lets one of two batch statistics overflow: no statistic
// moves.
func TestNonFiniteStatistics(t *testing.T) {
	params, _, own, _ := trackingPair(t)
	base, err := NewBase(Objective{Model: tracking{}, Loss: own.loss}, params, own.batch, nil)
	must(t, err)
	before := append([]float64(nil), params[0].Value.Float64s()...)
	must(t, base.Feed(own.batch), base.Run())
	base.statistics[1].batch.(*tensor.Dense).Float64s()[2] = math.Inf(1)
	for _, err := range []error{base.CheckStatistics(), base.MoveStatistics()} {
		if err == nil || !strings.Contains(err.Error(), `"variance"`) {
			t.Fatalf("error %v", err)
		}
	}
	equalBits(t, "mean", params[0].Value.Float64s(), before)
}

// follower tracks what a test says.
type follower struct {
	tracking
	track func(p *Pass, x, theta gorgonia.Nodes)
}

func (m follower) Output(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	m.track(p, x, theta)
	return m.tracking.Output(p, x, theta)
}

func TestStatisticsRefused(t *testing.T) {
	params, _, own, _ := trackingPair(t)
	for want, track := range map[string]func(p *Pass, x, theta gorgonia.Nodes){
		"theta/l0":             func(p *Pass, _, theta gorgonia.Nodes) { p.Track(theta[1], theta[1], 0.1) },
		"a nil node":           func(p *Pass, _, theta gorgonia.Nodes) { p.Track(nil, theta[1], 0.1) },
		`"mean": Track`:        func(p *Pass, _, theta gorgonia.Nodes) { p.Track(theta[0], nil, 0.1) },
		"(6, 3)":               func(p *Pass, x, theta gorgonia.Nodes) { p.Track(theta[0], x[0], 0.1) },
		`"variance": rate NaN`: func(p *Pass, _, theta gorgonia.Nodes) { p.Track(theta[3], theta[0], math.NaN()) },
		`"mean": rate 1.5`:     func(p *Pass, _, theta gorgonia.Nodes) { p.Track(theta[0], theta[3], 1.5) },
	} {
		_, err := NewBase(Objective{Model: follower{track: track}, Loss: own.loss}, params, own.batch, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
	params[1].Statistic = true
	if err := CheckParams(params); err == nil || !strings.Contains(err.Error(), `"l0"`) {
		t.Errorf("a matrix as a statistic: error %v", err)
	}
	if err := CheckParams(params[:1]); err == nil {
		t.Error("a model without learned parameters passes")
	}
}

// TestTraceNamesTheFirst poisons the layers one after the other, the last first.
func TestTraceNamesTheFirst(t *testing.T) {
	params, _, own, _ := trackingPair(t)
	src := Objective{Model: tracking{}, Loss: own.loss}
	check := func(want string) {
		t.Helper()
		got, err := Trace(src, params, own.batch, nil)
		must(t, err)
		if got != want {
			t.Fatalf("Trace says %q, not %q", got, want)
		}
	}
	check("")
	for _, c := range []struct {
		param int
		want  string
	}{{5, "the output of l1"}, {4, "the output of bn"}, {1, "the output of l0"}} {
		params[c.param].Value.Float64s()[0] = math.NaN()
		check(c.want)
	}
	plain := mlp{widths: []int{3, 3}}
	weights, _ := plain.Init(1, tensor.Float64)
	weights[0].Value.Float64s()[0] = math.NaN()
	where, err := Trace(Objective{Model: plain, Loss: own.loss}, weights, own.batch, nil)
	if err != nil || where != "" {
		t.Fatalf("a model without named layers: %q, %v", where, err)
	}
}
