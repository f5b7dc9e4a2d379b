package trainers

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// TestPrecisionOfUsersGraphs trains nets of Gorgonia's ops by FromProblem and by Wrap: the
// user's parameters are numbers of the format, and the losses near those of float32.
func TestPrecisionOfUsersGraphs(t *testing.T) {
	const steps = 6
	for name, build := range stockNets {
		for _, f := range lowFormats {
			t.Run(name+" "+f.String(), func(t *testing.T) {
				opts := []Option{EveryK(2), FSD(0.1, graph.CategoricalKL)}
				single, low := newStockNet(tensor.Float32, 4, build), newStockNet(tensor.Float32, 4, build)
				want := trainStock(t, single, fromStock(t, single, SGDm(0.01), opts...), 0, steps)
				tr := fromStock(t, low, SGDm(0.01), append(opts, Precision(f, precision.StaticScale(256)))...)
				inFormat(t, tr, f)
				nearLosses(t, "FromProblem", trainStock(t, low, tr, 0, steps), want)
				inFormat(t, tr, f)
				if tr.SkippedSteps() > 0 {
					t.Fatalf("%d steps skipped", tr.SkippedSteps())
				}

				own := newStockNet(tensor.Float32, 4, build)
				own.machine(t)
				s, err := Wrap(own.problem, SGDm(0.01), append(opts, Precision(f))...)
				if err != nil {
					t.Fatal(err)
				}
				var got []float64
				for step := range steps {
					got = append(got, own.own(t, s, own.batch(step)))
				}
				nearLosses(t, "Wrap", got, want)
				for _, p := range own.problem.Params {
					for i, v := range numbers(p.Value().(*tensor.Dense)) {
						if apoops.Round16(f, v) != v {
							t.Fatalf("%s: element %d is %v", p.Name(), i, v)
						}
					}
				}
			})
		}
	}
}

func nearLosses(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i, v := range got {
		if math.Abs(v-want[i]) > 0.05*math.Abs(want[i])+0.05 {
			t.Fatalf("%s: step %d: the loss is %v, %v in float32", what, i, v, want[i])
		}
	}
}
