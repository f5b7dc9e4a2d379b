package trainers

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// The logged terms add up to Q for every kind of meta-step, of step 0, where it ends.
func TestLoggedTermsAddUp(t *testing.T) {
	for _, o := range []Optimizer{SGD(0.01), PrecondPlain(0.1), precond.Relative(0), precond.TrustRegion(0)} {
		var lines, table bytes.Buffer
		b := toyBatch(t)
		tr, err := New(layers.MLP(2, 3, 1), graph.SquaredError, o, WSD(0.3), FSD(2), Record(Multi(NewJSONL(&lines), NewCSV(&table))))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := tr.Step(b); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := csv.NewReader(&table).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		ended := slices.IndexFunc(rows[1:], func(row []string) bool { return row[slices.Index(rows[0], "q")] != "" })
		if ended < 0 {
			t.Fatalf("%s: no meta-step ended:\n%s", o.Name(), &lines)
		}
		text := strings.Split(lines.String(), "\n")[ended]
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		cells := make(map[string]any)
		for i, name := range rows[0] {
			cells[name], _ = strconv.ParseFloat(rows[1+ended][i], 64)
		}
		for kind, v := range map[string]map[string]any{"JSONL": line, "CSV": cells} {
			f := func(key string) float64 { x, _ := v[key].(float64); return x }
			sum := f("q_loss") + f("lambda_fsd")/f("epsilon")*f("fsd") + f("epsilon")*f("lambda_wsd")*f("wsd")
			if !(math.Abs(sum-f("q")) <= 1e-5*math.Abs(f("q"))) {
				t.Errorf("%s, %s: q is %v, the terms add up to %v", o.Name(), kind, f("q"), sum)
			}
		}
	}
}

func toyBatch(t *testing.T) graph.Batch {
	t.Helper()
	return graph.NewBatch(denseOf([]float32{1, 3, 2, 1}, 2, 2), denseOf([]float32{1, 2}, 2, 1))
}

// stepLog are the lines of a log without their times.
func stepLog(t *testing.T, path string) (all []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var v map[string]any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		delete(v, "base_seconds")
		delete(v, "meta_seconds")
		all = append(all, v)
	}
	return all
}

// A run that was killed ahead of its checkpoint leaves the log of one never stopped: the
// recorder is set after Load.
func TestLogOfAResumedRun(t *testing.T) {
	dir, b := t.TempDir(), toyBatch(t)
	run := func(name string, from, to int) {
		t.Helper()
		tr, err := New(layers.MLP(2, 3, 1), graph.SquaredError, SGD(0.01), EveryK(2), Record(&History{}))
		if err != nil {
			t.Fatal(err)
		}
		if from > 0 {
			if err := tr.Load(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		log, lines, err := OpenJSONL(filepath.Join(dir, name+".jsonl"), tr.Steps())
		if err != nil || lines != from {
			t.Fatalf("%d lines before step %d, %v", lines, from, err)
		}
		if err := tr.SetRecorder(log); err != nil {
			t.Fatal(err)
		}
		for tr.Steps() < to {
			if tr.Steps() == 3 {
				if err := log.Flush(); err != nil {
					t.Fatal(err)
				}
				if err := tr.Save(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := tr.Step(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	run("whole", 0, 8)
	run("parts", 0, 5) // two steps ahead of the checkpoint
	run("parts", 3, 8)
	whole, parts := stepLog(t, filepath.Join(dir, "whole.jsonl")), stepLog(t, filepath.Join(dir, "parts.jsonl"))
	if len(whole) != 8 || !reflect.DeepEqual(whole, parts) {
		t.Errorf("the log of a run never stopped is\n%v\nthat of the resumed one\n%v", whole, parts)
	}
}

// SetRecorder takes the place of Record, and nil of any recorder.
func TestSetRecorder(t *testing.T) {
	var first, second History
	tr, err := New(layers.MLP(2, 3, 1), graph.SquaredError, PrecondPlain(0.1), EveryK(1), Record(&first))
	if err != nil {
		t.Fatal(err)
	}
	var none *History
	for _, r := range []Recorder{&first, &second, nil, &second, none} {
		if err := tr.SetRecorder(r); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Step(toyBatch(t)); err != nil {
			t.Fatal(err)
		}
	}
	if len(first.Steps) != 1 || len(second.Steps) != 2 || second.Steps[1].Step != 3 || len(second.Steps[1].Precond) == 0 {
		t.Errorf("%d steps and %+v", len(first.Steps), second.Steps)
	}
}

// TestSetRecorderOfWrap gives a solver another recorder between two steps.
func TestSetRecorderOfWrap(t *testing.T) {
	g := gorgonia.NewGraph()
	w := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(2), gorgonia.WithName("w"), gorgonia.WithValue(denseOf([]float64{1, 2}, 2)))
	cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(w))))
	if _, err := gorgonia.Grad(cost, w); err != nil {
		t.Fatal(err)
	}
	var logs [2]History
	solver, err := Wrap(graph.Problem{Cost: cost, Params: gorgonia.Nodes{w}}, SGD(0.1), EveryK(0), Record(&logs[0]))
	if err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	defer vm.Close()
	for i := range logs {
		if err := solver.SetRecorder(&logs[i]); err != nil {
			t.Fatal(err)
		}
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(gorgonia.Nodes{w})); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
	}
	for i, h := range logs {
		if len(h.Steps) != 1 || h.Steps[0].Step != i {
			t.Errorf("recorder %d: %+v", i, h.Steps)
		}
	}
}
