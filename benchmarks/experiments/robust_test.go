package experiments

import (
	"context"
	"encoding/json"
	"math"
	"testing"
)

// A rate that makes SGDm's weights overflow is reported as such, and a small one is not.
func TestRobustRuns(t *testing.T) {
	for factor, stops := range map[float64]bool{1: false, 1e30: true} {
		row, err := worstRun(context.Background(), "sgdm", factor, 1, 5, 2)
		if err != nil {
			t.Fatal(err)
		}
		if row.Stopped != stops || row.diverged() != stops || !(row.Start > 0) {
			t.Errorf("rate times %v: %+v", factor, row)
		}
	}
	row, err := worstRun(context.Background(), "precond-default", 1, 100, 5, 1)
	if err != nil || row.diverged() {
		t.Errorf("inputs times 100: %+v, %v", row, err)
	}
	if _, err := worstRun(context.Background(), "none", 1, 1, 1, 1); err == nil {
		t.Error("an unknown method was run")
	}
}

func TestRobustClaim(t *testing.T) {
	r := &Robust{Rows: []RobustRow{
		{Method: "sgdm", Rate: 100, Inputs: 1, Start: 2, Stopped: true},
		{Method: "precond-default", Rate: 1, Inputs: 1, Start: 2, End: 0.25},
		{Method: "precond-default", Rate: 100, Inputs: 1, Start: 2, End: 1.5},
	}}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := robustness{}.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	claim := robustness{}.Claims()[0]
	const want = "0 of its settings diverged; the largest final loss, 1.5 after 2 at the start, is that with the rate times 100 and the inputs times 1"
	if holds, words := claim.Decide(decoded); !holds || words != want {
		t.Errorf("%v, %s", holds, words)
	}
	for _, bad := range []RobustRow{{Start: 2, End: 3}, {Start: 2, End: math.NaN()}, {Start: 2, Stopped: true}} {
		bad.Method = "precond-default"
		if holds, _ := claim.Decide(&Robust{Rows: append(r.Rows[1:2:2], bad)}); holds {
			t.Errorf("%+v was accepted", bad)
		}
	}
	if f := decoded.Figures("t"); len(f) != 2 || len(f[0].Chart.Lines) != len(robustMethods) || len(f[0].Chart.Lines[3].X) != 2 {
		t.Errorf("figures %+v", f)
	}
	if _, err := (robustness{}).Decode([]byte("{}")); err == nil {
		t.Error("a result without rows was decoded")
	}
}
