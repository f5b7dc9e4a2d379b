package trainers

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// The logged terms add up to Q for every kind of meta-step.
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
		text, _, _ := strings.Cut(lines.String(), "\n")
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		cells := make(map[string]any)
		for i, name := range rows[0] {
			cells[name], _ = strconv.ParseFloat(rows[1][i], 64)
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
