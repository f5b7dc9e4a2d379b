package trainers

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// wantError ends the test unless an error is there and names what is wrong.
func wantError(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	if wrong := errortest.Lacks(err, parts...); wrong != "" {
		t.Fatalf("%s: %s", what, wrong)
	}
}

func TestWrongOptionsAreNamed(t *testing.T) {
	nan := math.NaN()
	for what, c := range map[string]struct {
		o    Optimizer
		opt  Option
		want string
	}{
		"λ_FSD < 0":           {SGD(0.1), FSD(-1), "λ_FSD is -1"},
		"λ_FSD NaN":           {SGD(0.1), FSD(nan), "λ_FSD is NaN"},
		"λ_WSD < 0":           {SGD(0.1), WSD(-0.5), "λ_WSD is -0.5"},
		"λ_WSD infinite":      {SGD(0.1), WSD(math.Inf(1)), "λ_WSD"},
		"K < 0":               {SGD(0.1), EveryK(-3), "EveryK(-3)"},
		"rate 0":              {SGD(0), EveryK(1), "lr"},
		"rate NaN":            {Adam(nan), EveryK(1), "lr"},
		"no optimizer":        {nil, EveryK(1), "optimizer"},
		"two divergences":     {SGD(0.1), FSD(1, graph.HalfSquared, graph.HalfSquared), "one divergence"},
		"bounds reversed":     {SGD(0.1), RateBounds(1, 0.1), "RateBounds"},
		"clip NaN":            {SGD(0.1), ClipMeta(nan), "ClipMeta"},
		"meta precond":        {SGD(0.1), Meta(PrecondPlain(0.1)), "meta-optimizer"},
		"meta rate < 0":       {SGD(0.1), Meta(Adam(-1)), "lr"},
		"int weights":         {SGD(0.1), Dtype(tensor.Int), "Dtype"},
		"nil option":          {SGD(0.1), nil, "option"},
		"no groups":           {SGD(0.1), RateGroups(nil), "RateGroups"},
		"unknown group":       {SGD(0.1), RateGroups(map[string]int{"dense0": 0}), "dense1"},
		"groups with a gap":   {SGD(0.1), RateGroups(map[string]int{"dense0": 0, "dense1": 2}), "group 1"},
		"no recorder":         {SGD(0.1), Record(nil), "Record"},
		"impossible factor":   {SGD(0.1), WithSchedule(StepDecay(-1, 3)), "StepDecay"},
		"momentum mode":       {&precond.PlainConfig{LR: 1, MomentumMode: "heavy", Dampening: 1}, EveryK(1), "momentum_mode"},
		"dampening 0":         {&precond.PlainConfig{LR: 1, MomentumMode: "none"}, EveryK(1), "dampening"},
		"λ_FSD without func":  {SGD(0.1), FSDSchedule(nil), "FSDSchedule"},
		"λ0 < 0":              {SGD(0.1), Calibrated(CalibratedConfig{Lambda0: -1}), "lambda0"},
		"λ_W NaN":             {SGD(0.1), Calibrated(CalibratedConfig{LambdaWSD: nan}), "lambda_wsd"},
		"horizon < 0":         {SGD(0.1), Calibrated(CalibratedConfig{Horizon: -5}), "horizon is -5"},
		"warm-up < 0":         {SGD(0.1), Calibrated(CalibratedConfig{WarmUp: -1}), "warm_up"},
		"batches < 0":         {SGD(0.1), Calibrated(CalibratedConfig{Batches: -1}), "batches"},
		"rounds < 0":          {SGD(0.1), Calibrated(CalibratedConfig{Rounds: -1}), "rounds"},
		"averages for ever":   {SGD(0.1), Calibrated(CalibratedConfig{Decay: 1}), "decay"},
		"growth < 0":          {SGD(0.1), Calibrated(CalibratedConfig{Growth: -1}), "growth"},
		"calibrated precond":  {PrecondPlain(0.1), Calibrated(CalibratedConfig{}), "precond-plain has no learning rate"},
		"precond without λ_F": {Precond(0.1), FSD(0), "λ_FSD and λ_WSD must be above 0"},
		"precond without λ_W": {Precond(0.1), WSD(0), "λ_FSD and λ_WSD must be above 0"},
		"trust < 0":           {trusting(precond.TrustRegion(1), -1), EveryK(1), "trust"},
		"trust without λ_W":   {precond.TrustRegion(1), WSD(0), "λ_WSD must be above 0"},
		"trust with K = 0":    {precond.TrustRegion(1), EveryK(0), "K, λ_FSD and λ_WSD must be above 0"},
		"no calibration":      {SGD(0.1), CalibrateFrom(nil), "CalibrateFrom"},
	} {
		_, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, c.o, c.opt)
		wantError(t, what, err, c.want)
	}
	_, err := New(layers.MLP(4), graph.SoftmaxCrossEntropy, SGD(0.1))
	wantError(t, "a model of one width", err, "width")
	_, err = New(nil, graph.SoftmaxCrossEntropy, SGD(0.1))
	wantError(t, "no model", err, "model")
	_, err = New(layers.MLP(4, 3), graph.Loss{}, SGD(0.1))
	wantError(t, "no loss", err, "loss")
	_, err = NewOptimizer("adamax", 0.1, nil)
	wantError(t, "unknown optimizer", err, "adamax", "adamw")
}

// TestOtherDtypeNamesTheOption: data in float64 for weights in float32, the default.
func TestOtherDtypeNamesTheOption(t *testing.T) {
	tr, data := toyTrainer(t, SGD(0.1)), toyData(t, tensor.Float64)
	refuseAll(t, []badInput{
		{"step", func() error { return errorOf(tr.Step(rowsOf(data, 0, 12))) }, "step 0|weights of float32|option Dtype"},
		{"evaluation", func() error { return errorOf(tr.Evaluate(data, 12)) }, "weights of float32|option Dtype"},
		{"prediction", func() error { return errorOf(tr.Predict(data.X)) }, "weights of float32|option Dtype"},
	})
}

// TestBadBatchesLeaveTheTrainerAlone feeds broken batches to a trainer in the
// middle of its work and then compares it with one that never saw them.
func TestBadBatchesLeaveTheTrainerAlone(t *testing.T) {
	opts := []Option{Dtype(tensor.Float64), EveryK(2)}
	tr, untouched := toyTrainer(t, SGDm(0.05), opts...), toyTrainer(t, SGDm(0.05), opts...)
	run(t, tr, 0, 5)
	run(t, untouched, 0, 5)
	matrix := func(r, c int, fill float64) *tensor.Dense {
		data := make([]float64, r*c)
		for i := range data {
			data[i] = fill
		}
		return tensor.New(tensor.WithShape(r, c), tensor.WithBacking(data))
	}
	classes := func(n, class int) *tensor.Dense {
		data := make([]int, n)
		for i := range data {
			data[i] = class
		}
		return tensor.New(tensor.WithShape(n), tensor.WithBacking(data))
	}
	view := matrix(4, 12, 1)
	if err := view.T(); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		b    graph.Batch
		want string
	}{
		"transposed view":  {graph.NewBatch(view, classes(12, 0)), "view"},
		"column-major":     {graph.NewBatch(tensor.New(tensor.WithShape(12, 4), tensor.AsFortran(matrix(12, 4, 1).Float64s())), classes(12, 0)), "column-major"},
		"empty":            {graph.Batch{}, "0 inputs"},
		"nil input":        {graph.NewBatch(nil, classes(12, 0)), "input 0"},
		"nil target":       {graph.NewBatch(matrix(12, 4, 1), nil), "target 0"},
		"NaN":              {graph.NewBatch(matrix(12, 4, math.NaN()), classes(12, 0)), "NaN at row 0"},
		"infinite":         {graph.NewBatch(matrix(12, 4, math.Inf(1)), classes(12, 0)), "step 5"},
		"too many columns": {graph.NewBatch(matrix(12, 5, 1), classes(12, 0)), "(12, 5)"},
		"other axes":       {graph.NewBatch(tensor.New(tensor.WithShape(48), tensor.Of(tensor.Float64)), classes(48, 0)), "float64 (48)"},
		"targets missing":  {graph.NewBatch(matrix(12, 4, 1), classes(11, 0)), "target 0"},
		"class too large":  {graph.NewBatch(matrix(12, 4, 1), classes(12, 3)), "3"},
		"class negative":   {graph.NewBatch(matrix(12, 4, 1), classes(12, -1)), "-1"},
		"other dtype":      {graph.NewBatch(tensor.New(tensor.WithShape(12, 4), tensor.Of(tensor.Float32)), classes(12, 0)), "float32"},
	} {
		_, err := tr.Step(c.b)
		wantError(t, what, err, "step 5", c.want)
		sameBits(t, what, tr.engine, untouched.engine)
	}
	run(t, tr, 5, 9)
	run(t, untouched, 5, 9)
	sameBits(t, "afterwards", tr.engine, untouched.engine)
}

// TestDivergenceIsAnError lets the weights explode: the step that finds the
// loss or the gradient not finite is refused and the weights stay finite.
func TestDivergenceIsAnError(t *testing.T) {
	tr, err := New(layers.DeepLinear(4, 8, 8, 3), graph.SquaredError, SGD(50), EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.New(tensor.WithShape(6, 4), tensor.WithBacking(tensor.Random(tensor.Float32, 24)))
	y := tensor.New(tensor.WithShape(6, 3), tensor.WithBacking(tensor.Random(tensor.Float32, 18)))
	for range 1000 {
		if _, err = tr.Step(graph.NewBatch(x, y)); err != nil {
			break
		}
	}
	wantError(t, "explosion", err, "step")
	for _, p := range tr.Params() {
		if !array.IsFinite(array.SumSquares(p.Value)) {
			t.Fatalf("%s is not finite", p.Name)
		}
	}
}

// TestNonFiniteMetaGradientIsSkipped makes Q overflow: the base step is taken,
// φ stays, and the step is counted.
func TestNonFiniteMetaGradientIsSkipped(t *testing.T) {
	for _, c := range []struct {
		opts  []Option
		steps int // by which the meta-step of the first has ended
	}{{nil, 2}, {[]Option{SameBatch()}, 1}} {
		tr := toyTrainer(t, SGD(0.05), append(c.opts, Dtype(tensor.Float64), EveryK(5), WSDSchedule(func(int) float64 { return math.MaxFloat64 }))...)
		b, err := NewBatches(toyData(t, tensor.Float64), 12, 5)
		if err != nil {
			t.Fatal(err)
		}
		before := append([]float64(nil), tr.Phi()[0].Value.Float64s()...)
		big := b.At(0)
		for i := range big.X[0].Float64s() {
			big.X[0].Float64s()[i] *= 1e6
		}
		var s Stats
		for range c.steps {
			if s, err = tr.Step(big); err != nil {
				t.Fatal(err)
			}
		}
		if s.Meta == nil || !s.Meta.Skipped || tr.Skipped() != 1 || tr.Phi()[0].Value.Float64s()[0] != before[0] || tr.Steps() != c.steps {
			t.Fatalf("meta-step %+v, %d skipped, φ %v", s.Meta, tr.Skipped(), tr.Phi()[0].Value)
		}
	}
}

func TestBadWeightFunctionIsAnErrorAtItsStep(t *testing.T) {
	tr := toyTrainer(t, SGD(0.05), EveryK(2), FSDSchedule(func(step int) float64 { return float64(1 - step) }))
	run(t, tr, 0, 2)
	b, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tr.Step(b.At(2))
	wantError(t, "λ < 0", err, "step 2", "λ_FSD is -1")
	if tr.Steps() != 3 {
		t.Fatalf("%d steps: the base step is taken all the same", tr.Steps())
	}
}

func TestCheckpointsOfOtherTrainingsAreRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "checkpoint")
	tr := toyTrainer(t, Adam(0.01), EveryK(2))
	run(t, tr, 0, 5)
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	smaller, err := New(layers.MLP(4, 3, 3), graph.SoftmaxCrossEntropy, Adam(0.01), EveryK(2))
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		tr   *Trainer
		want string
	}{
		"optimizer":  {toyTrainer(t, SGD(0.01), EveryK(2)), "optimizer adam"},
		"settings":   {toyTrainer(t, Adam(0.02), EveryK(2)), "settings"},
		"K":          {toyTrainer(t, Adam(0.01), EveryK(3)), "K 2"},
		"linear":     {toyTrainer(t, Adam(0.01), EveryK(2), LinearRate()), "linear rate"},
		"seed":       {toyTrainer(t, Adam(0.01), EveryK(2), Seed(8)), "seed"},
		"meta":       {toyTrainer(t, Adam(0.01), EveryK(2), Meta(MetaSGD(0.1))), "learner"},
		"rule for φ": {toyTrainer(t, Adam(0.01), EveryK(2), Calibrated(CalibratedConfig{})), "learner"},
		"shape":      {smaller, "dense0"},
		"dtype":      {toyTrainer(t, Adam(0.01), EveryK(2), Dtype(tensor.Float64)), "float32"},
	} {
		before := first(c.tr.Params()[0].Value)
		wantError(t, what, c.tr.Load(path), path, c.want)
		if first(c.tr.Params()[0].Value) != before || c.tr.Steps() != 0 {
			t.Fatalf("%s: the trainer was changed", what)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)/2] ^= 1
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, "a flipped bit", toyTrainer(t, Adam(0.01), EveryK(2)).Load(path), path, "checksum")
	wantError(t, "no file", tr.Load(filepath.Join(dir, "none")), "none")
}

func TestWrapRefusesWrongProblems(t *testing.T) {
	tr := toyTrainer(t, SGD(0.1))
	u := newUserGraph(t, tr, 12)
	good := u.problem
	with := func(change func(p *graph.Problem)) graph.Problem {
		p := good
		change(&p)
		return p
	}
	other := gorgonia.NewMatrix(gorgonia.NewGraph(), tensor.Float32, gorgonia.WithName("other"), gorgonia.WithShape(2, 2))
	for what, c := range map[string]struct {
		p    graph.Problem
		want string
	}{
		"no cost":        {with(func(p *graph.Problem) { p.Cost = nil }), "cost"},
		"no output":      {with(func(p *graph.Problem) { p.Output = nil }), "output"},
		"matrix as cost": {with(func(p *graph.Problem) { p.Cost = p.Output }), "scalar"},
		"no parameters":  {with(func(p *graph.Problem) { p.Params = nil }), "parameters"},
		"computed param": {with(func(p *graph.Problem) { p.Params = gorgonia.Nodes{p.Output} }), "computed"},
		"other graph":    {with(func(p *graph.Problem) { p.Inputs = gorgonia.Nodes{other} }), "another graph"},
		"listed twice":   {with(func(p *graph.Problem) { p.Params = append(gorgonia.Nodes{p.Inputs[0]}, p.Params...) }), "parameter 0 and input 0"},
		"unbound param": {with(func(p *graph.Problem) {
			p.Params, p.Inputs = append(gorgonia.Nodes{p.Inputs[0]}, p.Params...), nil
		}), "has no value"},
	} {
		_, err := Wrap(c.p, SGD(0.1), FSD(1, graph.CategoricalKL))
		wantError(t, what, err, c.want)
	}
	_, err := Wrap(good, SGD(0.1))
	wantError(t, "no divergence", err, "divergence")
	_, err = Wrap(with(func(p *graph.Problem) { p.Targets = nil }), SGD(0.1), FSD(1, graph.CategoricalKL))
	wantError(t, "unlisted input", err, `"y"`, "listed")
	s, err := Wrap(good, SGD(0.1), FSD(1, graph.CategoricalKL))
	if err != nil {
		t.Fatal(err)
	}
	u.compile(t)
	wantError(t, "step before a run", s.Step(gorgonia.NodesToValueGrads(good.Params)), "step 0")
	b := rowsOf(toyData(t, tensor.Float32), 0, 12)
	for _, err := range []error{gorgonia.Let(u.x, b.X[0]), gorgonia.Let(u.y, b.T[0]), u.vm.RunAll()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, "too few values", s.Step(nil), "2 parameters")
}
