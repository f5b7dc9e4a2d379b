package trainers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/internal/environment"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// load restores a checkpoint of the same training, all of it or nothing.
func (e *engine) load(path string) error {
	if e == nil {
		return errNotMade
	}
	if err := e.notEvaluating(); err != nil {
		return err
	}
	s, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	doc, err := readMeta(s.Meta)
	if err != nil {
		return errors.WithMessagef(err, "trainers: checkpoint %s", path)
	}
	stored := byName(s.Tensors)
	share, next, watch, meta := e.c.share, e.c.NextBatch, e.c.WatchLoss, e.c.Meta
	e.c.share, e.c.NextBatch, e.c.WatchLoss = e.shareOf(doc), e.nextBatch(doc), doc.watchLoss()
	run, _ := doc.Run["precision"].(map[string]any)
	forget := e.Task.Precision.KeepRounding(run)
	kept, err := e.matches(doc, stored)
	if other := e.otherMeta(); err != nil && other != nil {
		e.c.Meta = other
		if again, failed := e.matches(doc, stored); failed == nil {
			kept, err = again, nil
		}
	}
	if err == nil {
		err = e.checkRange(func(name string) *tensor.Dense { return stored[checkpoint.WeightPrefix+name] })
	}
	if err != nil {
		e.c.share, e.c.NextBatch, e.c.WatchLoss, e.c.Meta = share, next, watch, meta
		forget()
		return errors.WithMessagef(err, "trainers: checkpoint %s", path)
	}
	for _, t := range e.tensors() {
		if t.Packed() {
			t.Pack(stored[t.Name].Float32s())
		} else {
			array.Copy(t.Value, stored[t.Name])
		}
	}
	e.kept = kept
	e.steps, e.skipped, e.left = doc.Steps, doc.Skipped, skips{}
	if doc.Left != nil {
		e.left = *doc.Left
	}
	e.expected = expectedBatch(doc, kept)
	e.invalidate()
	e.agreed = false
	notes, err := e.convert(doc)
	e.loaded = append(environment.Notes(doc.Environment), notes...)
	return err
}

// shareOf is the share of a run that goes on from a checkpoint: what was chosen or, where
// it was left to the default, that of the run, whose default may have been another.
func (e *engine) shareOf(doc checkpointMeta) share {
	if e.c.share.chosen {
		return e.c.share
	}
	number := func(name string) float64 {
		n, _ := doc.Run[name].(json.Number)
		x, err := n.Float64()
		if _, there := doc.Run[name]; !there {
			return 1 // as it was before there was a choice
		} else if err != nil {
			return 0
		}
		return x
	}
	s := share{fraction: number("FSDFraction"), fewest: int(number("fewest rows of B'")), parts: e.c.share.parts}
	if !(s.fraction > 0 && s.fraction <= 1) || s.fewest < 1 {
		return e.c.share // the comparison says what is wrong
	}
	return s
}

// nextBatch is NextBatch of a run that goes on from a checkpoint: that of the run, which may be
// older than the default, unless SameBatch was chosen.
func (e *engine) nextBatch(doc checkpointMeta) bool {
	return !e.c.given["SameBatch"] && bytes.Contains(doc.LearnerSettings, []byte(`"next_batch":true`))
}

// watchLoss is WatchLoss of a run that goes on from a checkpoint.
func (doc checkpointMeta) watchLoss() bool {
	return bytes.Contains(doc.LearnerSettings, []byte(`"rise":`))
}

// otherMeta is the meta-optimizer that a run may have by default besides this one's: older runs
// had another. It is nil where one was chosen, and for rules with a default of their own.
func (e *engine) otherMeta() rule.Optimizer {
	if e.c.given["Meta"] || !e.c.usualMeta {
		return nil
	}
	former := rule.MetaAdam(0.05)
	if reflect.DeepEqual(e.c.Meta, former) {
		return usualMeta()
	}
	return former
}

// readMeta reads a checkpoint's document.
func readMeta(text json.RawMessage) (doc checkpointMeta, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		return doc, errors.Wrapf(checkpoint.ErrCorrupt, "%v", err)
	}
	switch {
	case doc.Version > metaVersion:
		return doc, errors.Wrapf(checkpoint.ErrNewer, "version %d, this one reads up to %d", doc.Version, metaVersion)
	case doc.Scaler.Check(doc.Steps) != nil:
		return doc, errors.Wrapf(checkpoint.ErrCorrupt, "%v", doc.Scaler.Check(doc.Steps))
	case doc.checkLeft() != nil:
		return doc, errors.Wrapf(checkpoint.ErrCorrupt, "%v", doc.checkLeft())
	case doc.Steps < 0 || doc.Skipped < 0:
		return doc, errors.Wrapf(checkpoint.ErrCorrupt, "%d steps, %d of their meta-steps skipped", doc.Steps, doc.Skipped)
	}
	return doc, nil
}

func byName(tensors []NamedTensor) map[string]*tensor.Dense {
	all := make(map[string]*tensor.Dense, len(tensors))
	for _, t := range tensors {
		all[t.Name] = t.Value
	}
	return all
}

// matches compares what a resumed run must have in common with the stopped one and
// returns the mini-batches that it kept.
func (e *engine) matches(doc checkpointMeta, stored map[string]*tensor.Dense) ([][]*tensor.Dense, error) {
	own, err := e.metaDocument()
	if err != nil {
		return nil, err
	}
	a, err := doc.settings()
	if err != nil {
		return nil, err
	}
	b, err := own.settings()
	if err != nil {
		return nil, err
	}
	all := checkpoint.Compare(a, b)
	arrays := e.tensors()
	for _, t := range arrays {
		switch v := stored[t.Name]; {
		case v == nil:
			all = append(all, fmt.Sprintf("no %q", t.Name))
		case describeArray(v) != describeNamed(t):
			all = append(all, fmt.Sprintf("%q as %s, this training has %s", t.Name, describeArray(v), describeNamed(t)))
		}
	}
	foreign := 0
	for name := range stored {
		if !strings.HasPrefix(name, keptPrefix) && !slices.ContainsFunc(arrays, func(t NamedTensor) bool { return t.Name == name }) {
			foreign++
			all = append(all, fmt.Sprintf("%q, which this training lacks", name))
		}
	}
	slices.Sort(all[len(all)-foreign:])
	if all != nil {
		return nil, errors.New(all.String())
	}
	kept, err := e.keptIn(stored)
	if err != nil {
		return nil, err
	}
	expected := expectedBatch(doc, kept)
	for i, b := range kept {
		own, inputs := map[string]any{"inputs": describeAll(b)}, map[string]any{"inputs": expected["inputs"]}
		if !reflect.DeepEqual(kindsOf(own, kindOf), kindsOf(inputs, kindOf)) {
			return nil, errors.Wrapf(checkpoint.ErrCorrupt, "mini-batch %d that was kept for B' has the inputs %v, not like %v", i, own["inputs"], inputs["inputs"])
		}
	}
	if d := checkpoint.Compare(kindsOf(expected, kindOf), kindsOf(e.shapes, kindOf)); d != nil {
		return nil, errors.Errorf("mini-batches %v", d)
	}
	return kept, nil
}

// expectedBatch has the shapes of a run's mini-batches: those that its checkpoint
// names or, in older ones, of the inputs that were kept; nil where they are not known.
func expectedBatch(doc checkpointMeta, kept [][]*tensor.Dense) map[string]any {
	if b, ok := doc.Run["batch"].(map[string]any); ok || len(kept) == 0 {
		return b
	}
	return map[string]any{"inputs": describeAll(kept[0])}
}

// settings are all by which runs are compared.
func (doc checkpointMeta) settings() (map[string]any, error) {
	all := map[string]any{
		"optimizer": currentName(doc.Optimizer, doc.Settings), "optimizer settings": doc.Settings, "learner": doc.Learner, "learner's settings": doc.LearnerSettings,
		"K": doc.K, "linear rate": doc.LinearRate, "seed": doc.Seed,
	}
	for name, v := range doc.Run {
		if name != "batch" { // its kind is compared, not its size
			all[name] = v
		}
	}
	if _, ok := all["FSDFraction"]; !ok {
		all["FSDFraction"] = 1 // as it was before there was a choice, and where nothing takes it
	}
	return checkpoint.Settings(all)
}

// keptIn collects the mini-batches that a checkpoint has for B'.
func (e *engine) keptIn(stored map[string]*tensor.Dense) ([][]*tensor.Dense, error) {
	var kept [][]*tensor.Dense
	count := 0
	for i := 0; stored[keptName(i, 0)] != nil; i++ {
		var b []*tensor.Dense
		for j := 0; stored[keptName(i, j)] != nil; j++ {
			b = append(b, stored[keptName(i, j)])
		}
		kept = append(kept, b)
		count += len(b)
	}
	for name := range stored {
		if strings.HasPrefix(name, keptPrefix) {
			count--
		}
	}
	if count != 0 {
		return nil, errors.Wrapf(checkpoint.ErrCorrupt, "gaps in the mini-batches that were kept")
	}
	most := 0
	if e.learner != nil && !e.c.NoFSD && e.c.tilde == nil {
		most = e.learner.Memory()
	}
	for i, b := range kept {
		n := 0
		for _, other := range kept[i:] {
			if graph.SameShapes(b, other) {
				n++
			}
		}
		if n > most {
			return nil, errors.Wrapf(checkpoint.ErrCorrupt, "%d mini-batches of %v were kept, this training keeps %d of any shapes", n, graph.Batch{X: b}, most)
		}
	}
	if len(kept) > most*keptShapes {
		return nil, errors.Wrapf(checkpoint.ErrCorrupt, "%d mini-batches were kept, this training keeps %d", len(kept), most*keptShapes)
	}
	return kept, nil
}
