package trainers

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// description has the settings of a run, by name, which a checkpoint keeps and Load
// compares. checkpointMeta has fields for the others. A setting that is not known or
// does not apply is left out. Of a function only its presence is noted.
func (e *engine) description() (map[string]any, error) {
	c := e.c
	d := map[string]any{
		"parameters": describeParams(e.Task.Model), "schedule": c.schedule.String(),
		"λ_FSD": describeWeight(c.FSD, c.varies.fsd), "λ_WSD": describeWeight(c.WSD, c.varies.wsd),
		"ClipMeta": c.ClipMeta, "ClipNorm": c.clip.norm, "ClipValue": c.clip.value, "RateBounds": []float64{c.MinRate, c.MaxRate},
		"Blocks": describeFunction(c.Blocks != nil), "SampledTargets": describeFunction(c.targets != nil),
		"CalibrateFrom": describeFunction(c.Calibration != nil),
	}
	switch {
	case e.learner == nil || c.NoFSD:
	case c.tilde != nil:
		d["B'"] = "from TildeFrom"
	default:
		d["B'"] = "earlier mini-batches"
	}
	if e.learner != nil && !c.NoFSD {
		d["FSDFraction"], d["fewest rows of B'"] = c.share.fraction, c.share.fewest
	}
	if len(e.rates()) > 0 {
		group, err := c.group(e.Task.Params)
		if err != nil {
			return nil, err
		}
		d["rate groups"] = describeGroups(e.Task.Params, group)
	}
	if e.hyperparameters() != nil {
		d["learned hyperparameters"] = describeHyperparameters(c.Hyperparameters)
	}
	describeSource(d, e.Task.Source)
	if p := e.Task.Precision; p != nil {
		d["precision"] = p.Describe()
	}
	if e.average != nil {
		d["Averaged"] = c.average.String()
	}
	if e.shapes != nil {
		d["batch"] = e.shapes
	}
	return d, nil
}

// describeSource adds what is differentiated.
func describeSource(d map[string]any, src graph.Source) {
	switch s := src.(type) {
	case graph.Objective:
		d["loss"] = s.Loss.Name
		divergence := s.Divergence
		if divergence.Build == nil {
			divergence = s.Loss.Divergence
		}
		d["divergence"] = divergence.Name
		if m, ok := s.Model.(graph.Describer); ok {
			d["model"] = m.Describe()
		}
	case *graph.Problem:
		d["divergence"] = s.Divergence.Name
		d["graph"] = s.Describe()
	case *graph.Standalone:
		d["divergence"] = s.Divergence.Name
		d["graph"] = s.Describe()
	}
}

func describeParams(params []*graph.Param) []string {
	all := make([]string, len(params))
	for i, p := range params {
		all[i] = fmt.Sprintf("%s %v %v", p.Name, p.Value.Dtype(), p.Value.Shape())
		if p.Statistic {
			all[i] += " statistic"
		}
		if p.Frozen {
			all[i] += " frozen"
		}
	}
	return all
}

func describeGroups(params []*graph.Param, group []int) []string {
	all := make([]string, len(params))
	for i, p := range params {
		all[i] = fmt.Sprintf("%s: %d", p.Name, group[i])
	}
	return all
}

func describeWeight(w Weight, varies bool) any {
	if varies {
		return "a function"
	}
	return w(0)
}

func describeFunction(there bool) string {
	if there {
		return "a function"
	}
	return "none"
}

// describeBatch has dtype and shape of each array.
func describeBatch(b graph.Batch) map[string]any {
	return map[string]any{"inputs": describeAll(b.X), "targets": describeAll(b.T)}
}

// describeAll has the form of what JSON gives back.
func describeAll(arrays []*tensor.Dense) []any {
	all := make([]any, len(arrays))
	for i, a := range arrays {
		all[i] = describeArray(a)
	}
	return all
}

func describeArray(a *tensor.Dense) string {
	if a == nil {
		return "nil"
	}
	return fmt.Sprintf("%v %v", a.Dtype(), a.Shape())
}

// describeNamed is describeArray of an array as a checkpoint holds it.
func describeNamed(t NamedTensor) string { return fmt.Sprintf("%v %v", t.Dtype(), t.Value.Shape()) }

// fits reports a mini-batch that is of another kind than the first, or than those of the
// run whose checkpoint was loaded: of other dtypes, or other numbers of arrays or axes.
func (e *engine) fits(b graph.Batch) error {
	before := e.shapes
	if before == nil {
		before = e.expected
	}
	if before == nil {
		return nil
	}
	own := describeBatch(b)
	if d := checkpoint.Compare(kindsOf(before, axesOf), kindsOf(own, axesOf)); d != nil {
		return ErrShape.Errorf("mini-batch of %v: those before were of another kind: %v", b, d)
	}
	if d := checkpoint.Compare(kindsOf(before, dtypeOf), kindsOf(own, dtypeOf)); d != nil {
		return ErrDtype.Errorf("mini-batch of %v: those before were of another kind: %v", b, d)
	}
	return nil
}

// kindsOf is what the mini-batches of a run have in common, from what describeBatch
// says of one of them. Their sizes may differ.
func kindsOf(batch map[string]any, kind func(array string) string) map[string]any {
	all := make(map[string]any, len(batch))
	for name, arrays := range batch {
		list, _ := arrays.([]any)
		kinds := make([]any, len(list))
		for i, a := range list {
			kinds[i] = kind(fmt.Sprint(a))
		}
		all[name] = kinds
	}
	return all
}

// dtypeOf and axesOf are of an array, from what describeArray says.
func dtypeOf(array string) string {
	dt, _, _ := strings.Cut(array, " ")
	return dt
}

func axesOf(array string) string {
	_, shape, _ := strings.Cut(array, " ")
	if shape == "()" {
		return "0 axes"
	}
	return fmt.Sprintf("%d axes", strings.Count(shape, ",")+1)
}

// kindOf is both.
func kindOf(array string) string { return dtypeOf(array) + " of " + axesOf(array) }

// dtypeHint says of a batch with numbers of another dtype than the weights how to choose theirs.
func (e *engine) dtypeHint(b graph.Batch) string {
	want := e.Task.Model[0].Value.Dtype()
	for _, a := range slices.Concat(b.X, b.T) {
		if a != nil && apoops.IsFloat(a.Dtype()) && a.Dtype() != want {
			return fmt.Sprintf(", for weights of %v (which the option Dtype chooses)", want)
		}
	}
	return ""
}
