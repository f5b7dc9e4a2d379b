package trainers

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/layers"
)

// TestDeadUnitsBecomeZero has a ReLU that is 0 for all inputs: an L2 penalty alone moves its
// weights, below the normal range, where rounding keeps them, and the rule's averages with
// them. After 100 steps they are 0. A run that resumes before that
// has the same bits.
func TestDeadUnitsBecomeZero(t *testing.T) {
	sgdm, rmsprop, adamw := SGDm(0.01), RMSprop(0.01), AdamW(0.01)
	sgdm.WeightDecay, rmsprop.WeightDecay, adamw.WeightDecay = 0.1, 0.1, 0.1
	for _, o := range []Optimizer{sgdm, rmsprop, adamw} {
		t.Run(o.Name(), func(t *testing.T) {
			start := func() *Trainer {
				tr, err := New(layers.Sequential(layers.Dense(4, 5, apoops.ReLUAct), layers.Dense(5, 3, apoops.Identity)), toyLoss, o, Dtype(tensor.Float32))
				if err != nil {
					t.Fatal(err)
				}
				return tr
			}
			tr := start()
			w := tr.Params()[0].Value // a column for each unit, the biases last
			for i := range 4 {
				w.Float32s()[i*5] = 1.2e-38
			}
			w.Float32s()[4*5] = -1000
			run(t, tr, 0, flushEvery-1)
			if dead := w.Float32s()[0]; dead == 0 || dead >= 0x1p-126 || !slices.Contains(belowNormal(tr), "theta/"+tr.Params()[0].Name) {
				t.Fatalf("a weight of the dead unit is %v, %q are below the normal range", dead, belowNormal(tr))
			}
			before := filepath.Join(t.TempDir(), "before")
			if err := tr.Save(before); err != nil {
				t.Fatal(err)
			}
			run(t, tr, flushEvery-1, flushEvery)
			if names := belowNormal(tr); len(names) > 0 || w.Float32s()[0] != 0 {
				t.Errorf("%q are below the normal range, a weight of the dead unit is %v", names, w.Float32s()[0])
			}
			again := start()
			if err := again.Load(before); err != nil {
				t.Fatal(err)
			}
			run(t, again, flushEvery-1, flushEvery)
			sameBits(t, "resumed before", again.engine, tr.engine)
		})
	}
}

// belowNormal names the arrays of a training that have a number below the normal range.
func belowNormal(tr *Trainer) (names []string) {
	for _, s := range tr.engine.tensors() {
		x, _ := s.Value.Data().([]float32)
		if slices.ContainsFunc(x, func(v float32) bool { return v != 0 && math.Abs(float64(v)) < 0x1p-126 }) {
			names = append(names, s.Name)
		}
	}
	return names
}
