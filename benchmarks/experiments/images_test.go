package experiments

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// Package layers has all nets, this package the sets and the work of a forward pass.
func TestImageExperimentsHaveTheirParts(t *testing.T) {
	for _, e := range All() {
		for _, all := range []map[Scale]Config{e.Scales, e.Trials} {
			for s, c := range all {
				if _, ok := e.Task.(imageTask); !ok {
					continue
				}
				if !slices.Contains(layers.ImageModels(), c.Net) {
					t.Errorf("%s %s: no net %q", e.Name, s, c.Net)
				}
				if set, err := imageSetOf(c.Set); err != nil || set.classes < 10 {
					t.Errorf("%s %s: %d classes, %v", e.Name, s, set.classes, err)
				}
				if w := e.Task.Work(c); w.MultiplyAdds <= 0 || e.Task.Describe(c) != c.Net+" on "+c.Set {
					t.Errorf("%s %s: %s takes %v multiply-adds", e.Name, s, e.Task.Describe(c), w)
				}
			}
		}
		for _, name := range append(slices.Clone(e.TunedAs), e.Shares...) {
			if _, err := Get(name); err != nil {
				t.Errorf("%s: %v", e.Name, err)
			}
		}
	}
}

// Some of the paper's accuracies of each table.
func TestPaperAccuracies(t *testing.T) {
	for _, c := range []struct {
		experiment, method string
		want               float64
	}{
		{"table2-cifar10-lenet", "sgdm", 75.73},
		{"table2-cifar10-lenet", "precond-above", 77.42},
		{"table2-cifar100-resnet32-wide", "kfac", 75.70},
		{"table2-svhn-resnet18", "precond", 96.89},
		{"table4-cifar10-resnet32", "sgd", 90.07},
		{"table4-cifar10-resnet34", "sgdm-decay", 95.08},
		{"table4-cifar10-wrn-28-10", "rmsprop-apo-calibrated", 94.22},
		{"table4-cifar100-wrn-28-10", "adam-apo", 76.33},
		{"table4-cifar10-lenet", "adam", 0},
	} {
		e, err := Get(c.experiment)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Accuracies[c.method]; got != c.want {
			t.Errorf("%s %s: %v, want %v", c.experiment, c.method, got, c.want)
		}
	}
}

func TestPaperScaleOfImages(t *testing.T) {
	for name, want := range map[string]int{
		"table2-cifar10-vgg16": 200 * 390, "table2-svhn-resnet18": 200 * 572, "table4-cifar10-resnet32": 400 * 390, "fig5-loss": 200 * 390,
	} {
		e, err := Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if c := e.Scales[Paper]; c.Steps != want || c.Batch != 128 || c.EvaluateEvery() != c.Steps/c.Evaluations || !c.Augment || c.L2 != 5e-4 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// A trial is evaluated on held-out images, and evaluations use images without
// augmentation.
func TestProblemOfImages(t *testing.T) {
	e, err := Get("table2-cifar10-lenet")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := e.Problem(context.Background(), e.Scales[Smoke])
	if err != nil {
		t.Fatal(err)
	}
	trial, err := e.Problem(context.Background(), e.Trial(Smoke))
	if err != nil {
		t.Fatal(err)
	}
	if whole.Train.Len() != 400 || whole.Test.Len() != 100 || trial.Train.Len() != 360 || trial.Test.Len() != 40 || trial.Evaluate.Len() != 100 {
		t.Errorf("%d, %d; %d, %d, %d images", whole.Train.Len(), whole.Test.Len(), trial.Train.Len(), trial.Test.Len(), trial.Evaluate.Len())
	}
	pixels := func(s trainers.Dataset, row int) []float32 {
		b := s.NewBatch(1)
		s.Fill(b, []int{row}, batch.Draw{Seed: 1})
		return slices.Clone(b.X[0].Float32s())
	}
	if !slices.Equal(pixels(whole.Evaluate, 5), pixels(trial.Evaluate, 5)) {
		t.Error("the evaluated images differ")
	}
	changed := 0
	for row := range 20 {
		if !slices.Equal(pixels(whole.Train, row), pixels(whole.Evaluate, row)) {
			changed++
		}
	}
	if changed < 15 {
		t.Errorf("%d of 20 images are changed at random", changed)
	}
	last := e.Trial(Smoke)
	last.Validation, last.Augment = 0, false
	all, err := e.Problem(context.Background(), last)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(pixels(all.Train, 360), pixels(trial.Test, 0)) {
		t.Error("the validation images are not the last of the training set")
	}
	timed := e.Scales[Smoke]
	timed.TestRows = -1
	if p, err := e.Problem(context.Background(), timed); err != nil || p.Test != nil {
		t.Errorf("a test set where none is wanted: %v", err)
	}
	last.Validation = 400
	if _, err := e.Problem(context.Background(), last); err == nil {
		t.Error("no image is left, and no error")
	}
}

func TestMethodsAtAScale(t *testing.T) {
	e, err := Get("table4-cifar10-resnet32")
	if err != nil {
		t.Fatal(err)
	}
	if len(e.MethodsAt(Paper)) != 16 || len(e.MethodsAt(Small)) != len(e.SmallMethods) || !e.TimedAt(Small) || e.TimedAt(Paper) {
		t.Errorf("%v, %v", e.MethodsAt(Paper), e.MethodsAt(Small))
	}
	if s := e.Search(Small); !slices.Equal(s.Experiments, []string{"table4-cifar10-resnet32", "table4-cifar10-lenet"}) || s.Spaces != "images" {
		t.Errorf("%+v", s)
	}
}

// Table 3 has each method in each precision, and all dampings of KFAC; its float32 runs of
// LeNet are those of Table 2.
func TestTable3(t *testing.T) {
	es, err := Find("table3")
	if err != nil || len(es) != 4 {
		t.Fatalf("%d experiments: %v", len(es), err)
	}
	table2, err := Get("table2-cifar10-lenet")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		want := 4
		if e.Sweep != "" {
			want = 18
		}
		for _, m := range e.Methods {
			if n := len(e.VariantsOf(m, Small)); n != want {
				t.Errorf("%s: %d variants of %s", e.Name, n, m)
			}
		}
		if !e.InPrecisions() || table2.InPrecisions() {
			t.Errorf("%s: not in precisions", e.Name)
		}
	}
	lenet := es[0]
	for s := range lenet.Scales {
		full, low := lenet.Config(s, lenet.VariantsOf("kfac", s)[0]), lenet.Config(s, lenet.VariantsOf("kfac", s)[2])
		if !reflect.DeepEqual(full, table2.Scales[s]) || low.Precision != "float16" || low.Steps != full.Steps {
			t.Errorf("%s: %+v and %+v", s, full, low)
		}
	}
}
