package trainers

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// badInput is something that a user may do wrong, and what its error must name.
type badInput struct {
	what string
	do   func() error
	want string // parts, separated by |
}

// errorOf drops a result that goes with an error.
func errorOf[T any](_ T, err error) error { return err }

// refuseAll runs each in a goroutine of its own: none may panic, hang or pass.
func refuseAll(t *testing.T, rows []badInput) {
	t.Helper()
	for _, r := range rows {
		done := make(chan error, 1)
		go func() {
			defer func() {
				if p := recover(); p != nil {
					done <- errors.Errorf("PANIC %v", p)
				}
			}()
			done <- r.do()
		}()
		select {
		case err := <-done:
			switch {
			case err == nil:
				t.Errorf("%s: no error", r.what)
			case strings.HasPrefix(err.Error(), "PANIC"):
				t.Errorf("%s: %v", r.what, err)
			default:
				for _, part := range strings.Split(r.want, "|") {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%s: error %q does not name %q", r.what, err, part)
					}
				}
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: hangs", r.what)
		}
	}
}

func TestBadOptions(t *testing.T) {
	var rows []badInput
	made := func(what string, o Optimizer, want string, opts ...Option) {
		rows = append(rows, badInput{what, func() error { return errorOf(New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, o, opts...)) }, want})
	}
	blocks := func(b ...graph.Block) Option {
		return Blocks(func([]*graph.Param) ([]graph.Block, error) { return b, nil })
	}
	var noSGD *rule.SGDConfig
	var noPrecond *precond.PlainConfig
	var noHistory *History
	made("typed nil optimizer", noSGD, "no optimizer")
	made("typed nil Precond", noPrecond, "no optimizer")
	made("typed nil meta-optimizer", SGD(0.1), "Meta", Meta(noSGD))
	made("nil meta-optimizer", SGD(0.1), "Meta", Meta(nil))
	made("typed nil recorder", SGD(0.1), "Record", Record(noHistory))
	made("nil TildeFrom", SGD(0.1), "TildeFrom", TildeFrom(nil))
	made("nil SampledTargets", KFAC(0.1), "SampledTargets", SampledTargets(nil))
	made("nil Blocks", PrecondPlain(0.1), "Blocks", Blocks(nil))
	made("Blocks of nothing", PrecondPlain(0.1), "Blocks|dense0|in no block", blocks())
	made("a block twice", PrecondPlain(0.1), "Blocks|dense0", blocks(graph.Block{Name: "a", Params: []int{0}, Rows: 5, Cols: 5}, graph.Block{Name: "b", Params: []int{0}, Rows: 5, Cols: 5}))
	made("a block too few", PrecondPlain(0.1), "Blocks|dense1", blocks(graph.Block{Name: "a", Params: []int{0}, Rows: 5, Cols: 5}))
	made("a block of nobody", PrecondPlain(0.1), "Blocks|parameter 7 of 2", blocks(graph.Block{Name: "a", Params: []int{7}, Rows: 5, Cols: 5}))
	made("a block of -1", PrecondPlain(0.1), "Blocks|parameter -1", blocks(graph.Block{Name: "a", Params: []int{-1}, Rows: 5, Cols: 5}))
	made("a block of another size", PrecondPlain(0.1), "Blocks|5×4|25", blocks(graph.Block{Name: "a", Params: []int{0}, Rows: 5, Cols: 4}, graph.Block{Name: "b", Params: []int{1}, Rows: 6, Cols: 3}))
	made("a block of 0 rows", PrecondPlain(0.1), "Blocks|0×4", blocks(graph.Block{Name: "a", Params: []int{0}, Rows: 0, Cols: 4}))
	made("a block of negative sides", PrecondPlain(0.1), "Blocks|-5×-5", blocks(graph.Block{Name: "a", Params: []int{0}, Rows: -5, Cols: -5}))
	made("a block of huge sides", PrecondPlain(0.1), "Blocks", blocks(graph.Block{Name: "a", Params: []int{0}, Rows: 1 << 40, Cols: 1 << 40}))
	made("no form", PrecondPlain(0.1), "Blocks|form", blocks(graph.Block{Name: "a", Params: []int{0}, Rows: 5, Cols: 5}, graph.Block{Name: "b", Params: []int{1}, Rows: 6, Cols: 3}))
	made("a block without a name", PrecondPlain(0.1), "Blocks|name", blocks(graph.Block{Params: []int{0}, Rows: 5, Cols: 5}))
	made("blocks of one name", PrecondPlain(0.1), `Blocks|"a"`, blocks(graph.Block{Name: "a", Params: []int{0}, Rows: 5, Cols: 5}, graph.Block{Name: "a", Params: []int{1}, Rows: 6, Cols: 3}))
	made("Blocks fails", PrecondPlain(0.1), "Blocks|no blocks today", Blocks(func([]*graph.Param) ([]graph.Block, error) { return nil, errors.New("no blocks today") }))
	made("group 1<<40", SGD(0.1), "group", RateGroups(map[string]int{"dense0": 1 << 40, "dense1": 0}))
	made("group max", SGD(0.1), "group", RateGroups(map[string]int{"dense0": math.MaxInt, "dense1": 0}))
	made("group -1", SGD(0.1), "group -1", RateGroups(map[string]int{"dense0": -1, "dense1": 0}))
	made("group min", SGD(0.1), "group", RateGroups(map[string]int{"dense0": math.MinInt, "dense1": 0}))
	for field, value := range map[string]float64{"NaN": math.NaN(), "+Inf": math.Inf(1), "-1": -1} {
		made("λ_FSD "+field, SGD(0.1), "λ_FSD", FSD(value))
		made("λ_WSD "+field, SGD(0.1), "λ_WSD", WSD(value))
		made("bounds from "+field, SGD(0.1), "RateBounds", RateBounds(value, 1))
		made("horizon-free growth "+field, SGD(0.1), "growth", Calibrated(CalibratedConfig{Growth: value}))
		made("lambda0 "+field, SGD(0.1), "lambda0", Calibrated(CalibratedConfig{Lambda0: value}))
		for _, o := range everyOptimizer() {
			made(o.Name()+" at the rate "+field, withRate(o, value), "lr")
		}
	}
	for name, change := range map[string]func(c *precond.PlainConfig){
		"momentum":            func(c *precond.PlainConfig) { c.Momentum = 1 },
		"clip":                func(c *precond.PlainConfig) { c.Clip = -1 },
		"dampening":           func(c *precond.PlainConfig) { c.Dampening = 2 },
		"max_dim":             func(c *precond.PlainConfig) { c.MaxDim = -1 },
		"momentum_mode":       func(c *precond.PlainConfig) { c.MomentumMode = "" },
		" meta_steps":         func(c *precond.PlainConfig) { c.Relative.MetaSteps = 0 },
		"meta_steps":          func(c *precond.PlainConfig) { c.Relative.MetaSteps = 1 << 40 },
		"warm_up_meta_steps":  func(c *precond.PlainConfig) { c.Relative.WarmUpMetaSteps = 1 << 40 },
		" warm_up_meta_steps": func(c *precond.PlainConfig) { c.Relative.WarmUpMetaSteps = -1 },
		"warm_up":             func(c *precond.PlainConfig) { c.Relative.WarmUp = -1 },
		"step":                func(c *precond.PlainConfig) { c.Relative.Step = 1 },
		"decay":               func(c *precond.PlainConfig) { c.Relative.Decay = 1 },
		"target_fsd":          func(c *precond.PlainConfig) { c.Relative.TargetFSD = math.NaN() },
		"full matrix":         func(c *precond.PlainConfig) { c.FullMatrix = true },
	} {
		c := precond.Relative(1)
		change(c)
		made("relative steps with a wrong "+name, c, strings.TrimSpace(name))
	}
	for name, change := range map[string]func(c *precond.Config){
		"momentum":      func(c *precond.Config) { c.Momentum = 1 },
		"damping":       func(c *precond.Config) { c.Damping = 0 },
		"clip":          func(c *precond.Config) { c.Clip = -1 },
		"rank":          func(c *precond.Config) { c.Rank = 0 },
		" rank":         func(c *precond.Config) { c.Rank = 1 << 30 },
		"damping_decay": func(c *precond.Config) { c.DampingDecay = 0 },
		"decay":         func(c *precond.Config) { c.Decay = 1 },
		"turn":          func(c *precond.Config) { c.Turn = math.NaN() },
		"warm_up":       func(c *precond.Config) { c.WarmUp = -1 },
		"frequent":      func(c *precond.Config) { c.Frequent = 0 },
		"rows":          func(c *precond.Config) { c.Rows = 1.5 },
		"positions":     func(c *precond.Config) { c.Positions = 0 },
	} {
		c := Precond(1)
		change(c)
		made("precond with a wrong "+name, c, strings.TrimSpace(name))
	}
	for what, s := range map[string]Schedule{
		"StepDecay": StepDecay(math.NaN()), "milestone": StepDecay(0.1, -1), "Cosine": Cosine(0, 0), "final": Cosine(5, math.Inf(1)),
		"WarmUp": WarmUp(-1, Constant()), "InverseSqrt": InverseSqrt(0), "Piecewise": Piecewise(), "total": WarmUp(3, Cosine(-1, 0)),
	} {
		made("schedule "+what, SGD(0.1), what, WithSchedule(s))
	}
	refuseAll(t, rows)
}

// withRate is a copy of an optimizer's description with another learning rate.
func withRate(o Optimizer, lr float64) Optimizer {
	d := reflect.New(reflect.TypeOf(o).Elem())
	d.Elem().Set(reflect.ValueOf(o).Elem())
	if m, ok := d.Interface().(*rule.MechanicConfig); ok {
		m.Base = withRate(m.Base, lr)
		return m
	}
	d.Elem().FieldByName("LR").SetFloat(lr)
	return d.Interface().(Optimizer)
}

// badModel is a model that does not do its part.
type badModel struct {
	graph.Model
	init   func() ([]*graph.Param, error)
	output func() (*gorgonia.Node, error)
}

func (m badModel) Init(seed uint64, dt tensor.Dtype) ([]*graph.Param, error) {
	if m.init != nil {
		return m.init()
	}
	return m.Model.Init(seed, dt)
}

func (m badModel) Output(p *graph.Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	if m.output != nil {
		return m.output()
	}
	return m.Model.Output(p, x, theta)
}

func TestBadFunctions(t *testing.T) {
	good := layers.MLP(4, 3)
	batch := rowsOf(toyData(t, tensor.Float32), 0, 12)
	step := func(model graph.Model, loss graph.Loss, o Optimizer, opts ...Option) func() error {
		return func() error {
			tr, err := New(model, loss, o, opts...)
			if err != nil {
				return err
			}
			_, err = tr.Step(batch)
			return err
		}
	}
	ce := graph.SoftmaxCrossEntropy
	loss := func(build func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error)) graph.Loss {
		l := ce
		l.Name, l.Build = "mine", build
		return l
	}
	nothing := func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) { return nil, nil }
	panics := func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) { panic("at the disco") }
	vector := func(y *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return y, nil }
	divergence := func(f func(a, b *gorgonia.Node) (*gorgonia.Node, error)) Option {
		return FSD(1, graph.Divergence{Name: "mine", Build: func(a, b *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return f(a, b) }})
	}
	sample := func(f graph.Sampler) graph.Loss {
		l := ce
		l.Sample = f
		return l
	}
	tilde := func(x ...*tensor.Dense) Option {
		return TildeFrom(func(int) ([]*tensor.Dense, error) { return x, nil })
	}
	f32 := func(shape ...int) *tensor.Dense {
		return tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
	}
	nan := f32(12, 4)
	nan.Float32s()[5] = float32(math.NaN())
	var noModel *layers.Model
	rows := []badInput{
		{"typed nil model", step(noModel, ce, SGD(0.1)), "no model"},
		{"loss that builds nothing", step(good, loss(nothing), SGD(0.1)), "loss mine|neither a node nor an error"},
		{"loss that panics", step(good, loss(panics), SGD(0.1)), "at the disco"},
		{"loss that is no scalar", step(good, loss(vector), SGD(0.1)), "not a scalar"},
		{"divergence of nothing", step(good, ce, SGD(0.1), divergence(func(a, b *gorgonia.Node) (*gorgonia.Node, error) { return nil, nil })), "divergence mine|neither"},
		{"divergence that panics", step(good, ce, SGD(0.1), divergence(func(a, b *gorgonia.Node) (*gorgonia.Node, error) { panic("at noon") })), "at noon"},
		{"divergence that is no scalar", step(good, ce, SGD(0.1), divergence(func(a, b *gorgonia.Node) (*gorgonia.Node, error) { return b, nil })), "step 0"},
		{"model that builds nothing", step(badModel{Model: good, output: func() (*gorgonia.Node, error) { return nil, nil }}, ce, SGD(0.1)), "model|neither"},
		{"model that panics", step(badModel{Model: good, output: func() (*gorgonia.Node, error) { panic("in the street") }}, ce, SGD(0.1)), "in the street"},
		{"model without parameters", step(badModel{Model: good, init: func() ([]*graph.Param, error) { return nil, nil }}, ce, SGD(0.1)), "no parameters"},
		{"model of a nil parameter", step(badModel{Model: good, init: func() ([]*graph.Param, error) { return []*graph.Param{nil}, nil }}, ce, SGD(0.1)), "parameter 0"},
		{"model of a parameter without value", step(badModel{Model: good, init: func() ([]*graph.Param, error) { return []*graph.Param{{Name: "w"}}, nil }}, ce, SGD(0.1)), "parameter 0"},
		{"model of ints", step(badModel{Model: good, init: func() ([]*graph.Param, error) {
			return []*graph.Param{{Name: "w", Value: tensor.New(tensor.WithShape(2), tensor.Of(tensor.Int))}}, nil
		}}, ce, SGD(0.1)), `"w"|int`},
		{"model that fails", step(badModel{Model: good, init: func() ([]*graph.Param, error) { return nil, errors.New("no weights today") }}, ce, SGD(0.1)), "initial weights|no weights today"},
		{"no sampler", step(good, sample(nil), KFAC(0.1)), "Sample"},
		{"sampler of nothing", step(good, sample(func(*gorgonia.Node, gorgonia.Nodes, *apoops.Random) (gorgonia.Nodes, error) { return nil, nil }), KFAC(0.1)), "sampling targets"},
		{"sampler of nil nodes", step(good, sample(func(*gorgonia.Node, gorgonia.Nodes, *apoops.Random) (gorgonia.Nodes, error) {
			return gorgonia.Nodes{nil}, nil
		}), EKFAC(0.1)), "sampling targets"},
		{"SampledTargets of nothing", step(good, ce, KFAC(0.1), SampledTargets(func(int) []*tensor.Dense { return nil })), "target"},
		{"SampledTargets of nil", step(good, ce, KFAC(0.1), SampledTargets(func(int) []*tensor.Dense { return []*tensor.Dense{nil} })), "target 0"},
		{"TildeFrom of nothing", step(good, ce, SGD(0.1), tilde()), "TildeFrom|0 inputs"},
		{"TildeFrom of nil", step(good, ce, SGD(0.1), tilde(nil)), "TildeFrom|input 0"},
		{"TildeFrom of two", step(good, ce, SGD(0.1), tilde(f32(12, 4), f32(12, 4))), "TildeFrom|2 inputs"},
		{"TildeFrom of NaN", step(good, ce, SGD(0.1), tilde(nan)), "TildeFrom|NaN"},
		{"TildeFrom of no rows", step(good, ce, SGD(0.1), tilde(f32())), "TildeFrom"},
		{"TildeFrom of other columns", step(good, ce, SGD(0.1), tilde(f32(12, 7))), "step 0"},
		{"TildeFrom of another dtype", step(good, ce, SGD(0.1), tilde(tensor.New(tensor.WithShape(12, 4), tensor.Of(tensor.Float64)))), "step 0"},
		{"TildeFrom fails", step(good, ce, SGD(0.1), TildeFrom(func(int) ([]*tensor.Dense, error) { return nil, errors.New("no B'") })), "no B'"},
		{"CalibrateFrom of nothing", step(good, ce, SGD(0.1), Calibrated(CalibratedConfig{}), CalibrateFrom(func(int) (graph.Batch, error) { return graph.Batch{}, nil })), "CalibrateFrom|batch 0"},
		{"CalibrateFrom of nil", step(good, ce, SGD(0.1), Calibrated(CalibratedConfig{}), CalibrateFrom(func(int) (graph.Batch, error) { return graph.NewBatch(nil, nil), nil })), "CalibrateFrom|input 0"},
		{"CalibrateFrom for ever", step(good, ce, SGD(0.1), Calibrated(CalibratedConfig{Batches: 1 << 40}), CalibrateFrom(func(i int) (graph.Batch, error) {
			if i < 3 {
				return batch, nil
			}
			return batch, errors.New("no more")
		})), "batch 3|no more"},
		{"λ of NaN", step(good, ce, SGD(0.1), FSDSchedule(Const(math.NaN()))), "λ_FSD is NaN"},
		{"λ_W of -1", step(good, ce, SGD(0.1), WSDSchedule(Const(-1))), "λ_WSD is -1"},
		{"recorder of no writer", step(good, ce, SGD(0.1), Record(NewJSONL(nil))), "no writer"},
		{"table of no writer", step(good, ce, SGD(0.1), Record(NewCSV(nil))), "no writer"},
		{"Every 0", step(good, ce, SGD(0.1), Record(Every(0, new(History)))), "Every(0"},
		{"Every of nothing", step(good, ce, SGD(0.1), Record(Every(2, nil))), "Every(2"},
	}
	for k, l := range map[string]layers.Layer{
		"nil layer": nil, "typed nil layer": (*layers.DenseLayer)(nil), "dense of 0": layers.Dense(4, 0, apoops.Identity),
		"dense of -1": layers.Dense(-1, 3, apoops.Identity), "dense of 1<<40": layers.Dense(4, 1<<40, apoops.Identity),
		"dense of too much": layers.Dense(1<<40, 1<<40, apoops.Identity), "activation 99": layers.Activation(99), "activation -1": layers.Activation(-1),
		"dense with activation 99": layers.Dense(4, 3, 99), "dropout 1": layers.Dropout(1), "dropout NaN": layers.Dropout(math.NaN()), "dropout -1": layers.Dropout(-1),
		"conv on a matrix": layers.Conv(1, 3, 3, apoops.Identity), "conv of 0": layers.Conv(0, 3, 3, apoops.Identity), "conv of kernel -1": layers.Conv(1, 3, -1, apoops.Identity),
		"conv of 1<<40": layers.Conv(1<<40, 3, 3, apoops.Identity), "batch norm of 0": layers.BatchNorm(0, apoops.Identity), "batch norm of -1": layers.BatchNorm(-1, apoops.Identity),
		"pool on a matrix": layers.MaxPool(apoops.Pool{}), "average pool on a matrix": layers.AvgPool(apoops.Pool{Kernel: [2]int{1 << 40, -1}}),
		"global pool on a matrix": layers.GlobalAvgPool(), "subsample 0": layers.Subsample(0, 1), "empty residual": layers.Residual(),
		"residual of nil": layers.Residual(nil), "LeCun-free sparse": &layers.DenseLayer{Inputs: 4, Outputs: 1 << 50},
	} {
		rows = append(rows, badInput{k, step(layers.Sequential(l, layers.Dense(4, 3, apoops.Identity)), ce, SGD(0.1)), ""})
	}
	refuseAll(t, rows)
}

// TestBadCalls makes calls that are wrong on a trainer in the middle of its work,
// which must be as before, and on values that no constructor made.
func TestBadCalls(t *testing.T) {
	tr, twin := toyTrainer(t, SGDm(0.05), EveryK(2)), toyTrainer(t, SGDm(0.05), EveryK(2))
	run(t, tr, 0, 4)
	run(t, twin, 0, 4)
	data := toyData(t, tensor.Float32)
	batch := rowsOf(data, 0, 12)
	dir := t.TempDir()
	var zero Trainer
	var solver Solver
	var noData *noisySet
	file := filepath.Join(dir, "file")
	f32 := func(shape ...int) *tensor.Dense {
		return tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
	}
	with := func(x ...*tensor.Dense) func() error { return func() error { return errorOf(tr.StepWith(batch, x)) } }
	u := newUserGraph(t, tr, 12)
	wrapped, err := Wrap(u.problem, SGD(0.1), EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	refuseAll(t, []badInput{
		{"StepWith a nil array", with(nil), "step 4|function-space|input 0"},
		{"StepWith two arrays", with(batch.X[0], batch.X[0]), "step 4|2 inputs"},
		{"StepWith no arrays", with([]*tensor.Dense{}...), "step 4|0 inputs"},
		{"StepWith no rows", with(f32()), "step 4"},
		{"Step of nothing", func() error { return errorOf(tr.Step(graph.Batch{})) }, "step 4|0 inputs"},
		{"Step of nil", func() error { return errorOf(tr.Step(graph.NewBatch(nil, nil))) }, "step 4|input 0"},
		{"Step without targets", func() error { return errorOf(tr.Step(graph.Batch{X: batch.X})) }, "step 4|0 targets"},
		{"Step of bytes", func() error {
			return errorOf(tr.Step(graph.NewBatch(tensor.New(tensor.WithShape(12, 4), tensor.Of(tensor.Byte)), batch.T[0])))
		}, "step 4|uint8"},
		{"Evaluate nothing", func() error { return errorOf(tr.Evaluate(nil, 5)) }, "no data set"},
		{"Evaluate a typed nil", func() error { return errorOf(tr.Evaluate(noData, 5)) }, "no data set"},
		{"Evaluate empty data", func() error { return errorOf(tr.Evaluate(Data{}, 5)) }, "without inputs"},
		{"Evaluate by 0", func() error { return errorOf(tr.Evaluate(data, 0)) }, "0 rows"},
		{"Evaluate by -1", func() error { return errorOf(tr.Evaluate(data, math.MinInt)) }, "rows"},
		{"zero trainer's step", func() error { return errorOf(zero.Step(batch)) }, "New"},
		{"zero trainer's evaluation", func() error { return errorOf(zero.Evaluate(data, 5)) }, "New"},
		{"zero trainer saved", func() error { return zero.Save(file) }, "New"},
		{"zero trainer's weights", func() error { return zero.SaveWeights(file) }, "New"},
		{"zero trainer loaded", func() error { return zero.Load(file) }, "New"},
		{"zero trainer's recorder", func() error { return zero.SetRecorder(nil) }, "New"},
		{"zero trainer's weights loaded", func() error { return zero.LoadWeights(file) }, "New"},
		{"zero solver's step", func() error { return solver.Step(nil) }, "Wrap"},
		{"zero solver saved", func() error { return solver.Save(file) }, "Wrap"},
		{"zero solver loaded", func() error { return solver.Load(file) }, "Wrap"},
		{"zero solver's recorder", func() error { return solver.SetRecorder(nil) }, "Wrap"},
		{"solver of nothing", func() error { return wrapped.Step(nil) }, "0 values"},
		{"solver of nil values", func() error { return wrapped.Step(make([]gorgonia.ValueGrad, 2)) }, "value 0"},
		{"solver of typed nils", func() error { return wrapped.Step([]gorgonia.ValueGrad{(*gorgonia.Node)(nil), (*gorgonia.Node)(nil)}) }, "value 0"},
		{"save to nowhere", func() error { return tr.Save(filepath.Join(dir, "no", "where")) }, "where"},
		{"save to a directory", func() error { return tr.Save(dir) }, dir},
		{"load from nowhere", func() error { return tr.Load(filepath.Join(dir, "nowhere")) }, "nowhere"},
		{"load a directory", func() error { return tr.LoadWeights(dir) }, dir},
		{"no optimizer's name", func() error { return errorOf(NewOptimizer("", 0.1, nil)) }, "unknown optimizer"},
		{"settings of null", func() error { return errorOf(NewOptimizer("sgd", 0, []byte("null"))) }, "settings of sgd"},
		{"settings of a list", func() error { return errorOf(NewOptimizer("sgd", 0.1, []byte("[1]"))) }, "settings of sgd"},
		{"settings of null for relative steps", func() error {
			return errorOf(NewOptimizer("precond-above", 1, []byte(`{"relative": {"meta_steps": -1}}`)))
		}, "meta_steps"},
		{"default rate of nothing", func() error { return errorOf(DefaultRate("nothing")) }, "nothing"},
	})
	sameBits(t, "after bad calls", tr.engine, twin.engine)
	for what, see := range map[string]func() any{
		"Steps": func() any {
			return zero.Steps() + zero.Skipped() + zero.Fallbacks() + solver.Steps() + solver.Skipped() + solver.Fallbacks()
		},
		"lists": func() any {
			return len(zero.Params()) + len(zero.Phi()) + len(zero.Rates()) + len(zero.Notes()) + len(zero.LastGradient()) + len(zero.LastMetaGradient())
		},
		"solver": func() any { return len(solver.Phi()) + len(solver.Rates()) + len(solver.Notes()) + solver.Last().Step },
		"form":   func() any { return len(graph.Block{}.Factors()) },
	} {
		if got := fmt.Sprint(see()); got != "0" {
			t.Errorf("%s of zero values: %s", what, got)
		}
	}
}
