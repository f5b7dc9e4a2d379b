package parity

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// Decode reads and validates a fixture. The error for a well-formed file that cannot
// be replayed is an *Unsupported.
func Decode(data []byte) (*Fixture, error) {
	top, err := parse(data)
	if err != nil {
		return nil, err
	}
	f := &Fixture{}
	d := decoder{k: top.whole("K"), loss: top.text("loss")}
	steps := top.objects("steps")
	d.readDtype(top)
	arch := readModel(top.object("model"))
	f.loss = readLoss(top)
	rule := top.object("rule")
	f.rule = readRule(rule)
	if top.err() != nil {
		return nil, top.err()
	}
	f.model, f.theta = arch.model, arch.theta
	d.input, d.outputs = arch.input, arch.outputs
	f.phi = phiOf(f.rule, f.theta)
	f.options = d.readOptions(top, rule, f)
	f.theta0 = top.object("theta0").arrays(f.theta)
	if d.k > 0 || top.has("phi0") {
		o := top.object("phi0")
		f.phi0 = d.checkPhi(o, o.arrays(f.phi))
	}
	for t, o := range steps {
		if top.err() != nil {
			break
		}
		f.Steps = append(f.Steps, d.readStep(o, f, t))
	}
	if top.err() != nil {
		return nil, top.err()
	}
	return f, nil
}

// decoder has the properties of the file on which the steps depend.
type decoder struct {
	k           int
	loss        string
	input       tensor.Shape // of one example
	outputs     int          // width of the model's output
	sampled     bool         // there are targets of the Fisher matrix
	fsd         bool         // there is a function-space term
	linear      bool         // φ is η itself
	rows, tilde int          // of B and B' in the earlier steps, 0 before the first
}

func (d *decoder) readDtype(top object) {
	switch dtype := top.text("dtype"); dtype {
	case "float64":
	case "float32":
		top.unsupported("dtype %s", dtype)
	default:
		top.fail("dtype", "is %q: it must be float64 or float32", dtype)
	}
}

// readOptions makes the trainer's options.
func (d *decoder) readOptions(top, rule object, f *Fixture) []trainers.Option {
	options := []trainers.Option{
		trainers.Dtype(tensor.Float64),
		trainers.EveryK(d.k),
	}
	_, precond := f.rule.(*precond.PlainConfig)
	if !precond {
		options = append(options, trainers.SameBatch(), trainers.RateBounds(math.SmallestNonzeroFloat64, math.MaxFloat64))
	}
	if !precond && (d.k > 0 || top.has("phi0")) && !rule.flag("log") {
		d.linear = true
		options = append(options, trainers.LinearRate())
	}
	if d.sampled = samplesTargets(f.rule); d.sampled {
		options = append(options, trainers.SampledTargets(func(step int) []*tensor.Dense { return f.Steps[step].Sampled }))
	}
	if d.k == 0 {
		return options
	}
	fsd, wsd := top.notNegative("lambda_fsd"), top.notNegative("lambda_wsd")
	d.fsd = fsd > 0
	return append(options,
		trainers.FSD(fsd),
		trainers.WSDSchedule(trainers.Const(wsd)), // a schedule, because it keeps the term even for λ = 0, as fixtures do
		trainers.Meta(readMetaOptimizer(top.object("meta_optimizer"))))
}

// checkPhi reports values of φ that a trainer does not support.
func (d *decoder) checkPhi(o object, phi [][]float64) [][]float64 {
	if d.linear && o.err() == nil && phi[0][0] <= 0 {
		o.unsupported("%s is %v: a trainer keeps learning rates positive", o.at("lr"), phi[0][0])
	}
	return phi
}

func (d *decoder) readStep(o object, f *Fixture, t int) Step {
	s := Step{}
	x := d.readInputs(o, "x", &d.rows)
	if o.err() != nil {
		return s
	}
	s.Batch = graph.NewBatch(x, readTargets(o, "t", d.loss, d.rows, d.outputs))
	if d.sampled {
		s.Sampled = []*tensor.Dense{readTargets(o, "sampled_targets", d.loss, d.rows, d.outputs)}
	}
	s.Loss = o.outcome("loss")
	s.Grad = o.object("grad").outcomes(f.theta)
	s.Theta = o.object("theta").outcomes(f.theta)
	if d.k > 0 || o.has("phi") {
		phi := o.object("phi")
		s.Phi = d.checkPhi(phi, phi.outcomes(f.phi))
	}
	if d.k == 0 || t%d.k != 0 {
		if o.has("meta") {
			o.fail("meta", "is given, but the step has no meta-step (K is %d)", d.k)
		}
		return s
	}
	if d.fsd {
		s.Tilde = []*tensor.Dense{d.readInputs(o, "x_tilde", &d.tilde)}
	}
	m := o.object("meta")
	s.Meta = &Meta{
		Q: m.outcome("q"), Loss: m.outcome("loss"), FSD: m.outcome("fsd"), WSD: m.outcome("wsd"),
		DPhi: m.object("dphi").outcomes(f.phi),
	}
	return s
}

// readInputs reads inputs. rows is their number in the earlier steps.
func (d *decoder) readInputs(o object, key string, rows *int) *tensor.Dense {
	size := d.input.TotalSize()
	x := o.array(key, append([]int{anyRows}, d.input...)...)
	n := len(x) / size
	if *rows != 0 && n != *rows && o.err() == nil {
		o.unsupported("%s has %d rows after %d: a trainer keeps its batch sizes", o.at(key), n, *rows)
	}
	*rows = n
	return array(x, append(tensor.Shape{n}, d.input...))
}

// array returns nil if numbers are missing, which has been reported already.
func array(x []float64, shape tensor.Shape) *tensor.Dense {
	if len(x) == 0 || len(x) != shape.TotalSize() {
		return nil
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
}
