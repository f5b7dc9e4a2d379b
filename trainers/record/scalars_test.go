package record

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// everything has a value of its own in each field, so that a name with the value of
// another shows.
var everything = Stats{
	Step: 3, Loss: 1, Rates: []float64{2, 3}, Hyperparameters: map[string]float64{"weight_decay": 4, "damping": 5},
	LossScale: 6, StepSkipped: true,
	Meta: &MetaStats{Q: 7, Loss: 8, FSD: 9, WSD: 10, LambdaFSD: 11, LambdaWSD: 12, Epsilon: 13, GradNorm: 14, Skipped: true},
	Precond: []PrecondNorms{
		{Block: "first.W", A: 15, B: 16, S: 17, Measures: &PrecondMeasures{EnergyA: 18, EnergyB: 19, Condition: 20, Trace: 21, Discrepancy: 22}},
		{Block: "second.W", S: 23},
	},
	BaseTime: 24 * time.Second, MetaTime: 25 * time.Second,
}

func namesAndValues(s Stats) (names []string, values []float64) {
	for name, v := range s.Scalars() {
		names, values = append(names, name), append(values, v)
	}
	return names, values
}

func TestScalars(t *testing.T) {
	names, values := namesAndValues(everything)
	wantNames := strings.Fields(`loss rate/0 rate/1 hyperparameters/damping hyperparameters/weight_decay
		q/q q/loss q/fsd q/wsd q/lambda_fsd q/lambda_wsd q/epsilon q/grad_norm q/skipped
		precond/first.W/norm_A precond/first.W/norm_B precond/first.W/norm_S
		precond/first.W/energy_A precond/first.W/energy_B precond/first.W/condition precond/first.W/trace precond/first.W/discrepancy
		precond/second.W/norm_A precond/second.W/norm_B precond/second.W/norm_S
		loss_scale step_skipped seconds/base seconds/meta`)
	wantValues := []float64{1, 2, 3, 5, 4, 7, 8, 9, 10, 11, 12, 13, 14, 1, 15, 16, 17, 18, 19, 20, 21, 22, 0, 0, 23, 6, 1, 24, 25}
	if !slices.Equal(names, wantNames) || !slices.Equal(values, wantValues) {
		t.Errorf("got %v\n%v\nwant %v\n%v", names, values, wantNames, wantValues)
	}
	names, values = namesAndValues(Stats{Loss: 1, Rates: []float64{2}, BaseTime: time.Second})
	if !slices.Equal(names, []string{"loss", "rate", "seconds/base"}) || !slices.Equal(values, []float64{1, 2, 1}) {
		t.Errorf("a plain step: %v %v", names, values)
	}
	for _, skipped := range []bool{false, true} {
		names, values = namesAndValues(Stats{SkipsNonFinite: true, StepSkipped: skipped})
		if i := slices.Index(names, "step_skipped"); i < 0 || values[i] != indicator(skipped) {
			t.Errorf("skipped %v with SkipNonFinite: %v %v", skipped, names, values)
		}
	}
	for name := range everything.Scalars() { // stopping early must not go on
		if name != "loss" {
			t.Fatalf("%s after the end", name)
		}
		break
	}
}

// TestScalarsAreComplete fails where a field is added to the statistics but not to Scalars.
func TestScalarsAreComplete(t *testing.T) {
	numbers := 0
	for _, of := range []any{Stats{}, MetaStats{}, PrecondNorms{}, PrecondMeasures{}} {
		for i := range reflect.TypeOf(of).NumField() {
			switch reflect.TypeOf(of).Field(i).Type.Kind() {
			case reflect.Float64, reflect.Bool, reflect.Int64: // Int64 is time.Duration
				numbers++
			}
		}
	}
	// One block, one rate and one hyperparameter. SkipsNonFinite is not a number of the step.
	numbers--
	s := everything
	s.Precond, s.Rates, s.Hyperparameters = s.Precond[:1], s.Rates[:1], map[string]float64{"damping": 5}
	if names, _ := namesAndValues(s); len(names) != numbers+2 {
		t.Errorf("%d names for %d fields: %v", len(names), numbers+2, names)
	}
}
