package extend

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apo-gorgonia/apo/trainers"
)

// register is Register, once for all runs of the test.
var register = sync.OnceValue(Register)

// TestRegister makes the rules by their names, as programs with a flag for the
// optimizer do.
func TestRegister(t *testing.T) {
	if err := register(); err != nil {
		t.Fatal(err)
	}
	if err := Register(); err == nil || !strings.Contains(err.Error(), "adagrad") {
		t.Errorf("registered twice: %v", err)
	}
	for name, start := range map[string]float64{"adagrad": 0.01, "lars": 1} {
		if lr, err := trainers.DefaultRate(name); err != nil || lr != start {
			t.Errorf("%s starts at %v, want %v (%v)", name, lr, start, err)
		}
		if !slices.Contains(trainers.OptimizerNames(), name) {
			t.Errorf("%s is not listed", name)
		}
		o, err := trainers.NewOptimizer(name, rate, nil)
		if err != nil {
			t.Fatal(err)
		}
		dt := dtypes[0]
		got, want := train(t, dt, newTrainer(t, dt, o), 0, 5), train(t, dt, newTrainer(t, dt, rules[name](rate)), 0, 5)
		if !slices.Equal(got, want) {
			t.Errorf("%s by its name has the losses %v, want %v", name, got, want)
		}
	}
	o, err := trainers.NewOptimizer("lars", 1, json.RawMessage(`{"trust": 0.5}`))
	if c, ok := o.(*LARSConfig); err != nil || !ok || c.Trust != 0.5 || c.Momentum != 0.9 {
		t.Errorf("with settings: %+v, %v", o, err)
	}
	if _, err := trainers.NewOptimizer("adagrad", 1, json.RawMessage(`{"decay": 0.5}`)); err == nil || !strings.Contains(err.Error(), "decay") {
		t.Errorf("with an unknown setting: %v", err)
	}
}
