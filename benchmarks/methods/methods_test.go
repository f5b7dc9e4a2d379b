package methods

import (
	"io/fs"
	"maps"
	"math"
	"path"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/precond"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

func TestSpacesParseAndSamplesLieInThem(t *testing.T) {
	folders := []string{""}
	entries, err := fs.ReadDir(spaceFiles, "spaces")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	for _, folder := range folders {
		for _, m := range All() {
			t.Run(path.Join(folder, m.Name), func(t *testing.T) { testSpace(t, m, folder) })
		}
	}
}

func testSpace(t *testing.T, m *Method, folder string) {
	space, err := m.SearchSpace(folder)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(space.Sample(m.Name, 1, 0), space.Defaults()) {
		t.Error("configuration 0 is not the default")
	}
	moved, seedMatters := false, false
	for i := range 50 {
		v := space.Sample(m.Name, 7, i)
		if !maps.Equal(v, space.Sample(m.Name, 7, i)) {
			t.Fatalf("configuration %d differs the second time", i)
		}
		for _, d := range space {
			if x := v[d.Name]; d.ranged() && (x < d.Min*0.999 || x > d.Max*1.001) || len(d.Choices) == 0 && !d.ranged() && x != d.Default {
				t.Errorf("%s = %v is not in %+v", d.Name, x, d)
			}
		}
		moved = moved || !maps.Equal(v, space.Defaults())
		seedMatters = seedMatters || !maps.Equal(v, space.Sample(m.Name, 8, i))
	}
	if !moved && !space.Fixed() {
		t.Error("all configurations are the default")
	}
	if !seedMatters && !space.Fixed() {
		t.Error("the seed does not matter")
	}
	if space.Fixed() != (m == defaultPrecond) {
		t.Errorf("fixed: %v", space.Fixed())
	}
	if _, ok := space.Defaults()[m.Rare]; m.Rare != "" && !ok {
		t.Errorf("no hyperparameter %q", m.Rare)
	}
}

// The spaces of a folder replace the general ones.
func TestSpacesOfAFolder(t *testing.T) {
	m, err := Get("adam")
	if err != nil {
		t.Fatal(err)
	}
	general, err := m.SearchSpace("")
	if err != nil {
		t.Fatal(err)
	}
	images, err := m.SearchSpace("images")
	if err != nil {
		t.Fatal(err)
	}
	if images[0].Min <= general[0].Min {
		t.Errorf("the range of images begins at %v, the general one at %v", images[0].Min, general[0].Min)
	}
	other, err := m.SearchSpace("no such folder")
	if err != nil || other[0].Min != general[0].Min {
		t.Errorf("a folder without the space: %+v, %v", other, err)
	}
}

// TestDefaultsOfTheLibrary: what is called next batch is the library's default, in all folders; the
// paper's form keeps the space's.
func TestDefaultsOfTheLibrary(t *testing.T) {
	usual := rule.OptimizerBase{}.Defaults()
	for name, want := range map[string]float64{"adam-apo-next": usual.Meta.LearningRate(), "adam-apo": 0.05} {
		m, err := Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, folder := range []string{"", "images", "text"} {
			space, err := m.SearchSpace(folder)
			if err != nil {
				t.Fatal(err)
			}
			if d := space.Defaults(); d["meta_rate"] != want || d["fsd"] != usual.FSD {
				t.Errorf("%s in %q: %v, want meta_rate %v and fsd %v", name, folder, d, want, usual.FSD)
			}
		}
	}
}

func TestDecay(t *testing.T) {
	for _, c := range []struct {
		d    Decay
		step int
		want float64
	}{
		{Decay{}, 900, 1},
		{Decay{Cosine: true}, 0, 1},
		{Decay{Cosine: true}, 500, 0.5},
		{Decay{Factor: 0.2, At: []float64{0.3, 0.6, 0.8}}, 299, 1},
		{Decay{Factor: 0.2, At: []float64{0.3, 0.6, 0.8}}, 300, 0.2},
		{Decay{Factor: 0.5, At: []float64{0.3, 0.6, 0.8}}, 800, 0.125},
	} {
		s := c.d.Schedule(1000)
		if err := s.Err(); err != nil || s.At(c.step) != c.want {
			t.Errorf("%+v at %d of 1000 steps: %v, want %v (%v)", c.d, c.step, s.At(c.step), c.want, err)
		}
	}
	if s := stepDecay(Run{Steps: 1000}); s.At(374) != 1 || s.At(375) != 0.1 {
		t.Error("the usual decay is not at 3/8 of the run")
	}
	if s := stepDecay(Run{Steps: 1000, Decay: Decay{Factor: 0.5, At: []float64{0.3}}}); s.At(300) != 0.5 {
		t.Error("the run's decay is not taken")
	}
}

func TestBestByLoss(t *testing.T) {
	a, b := Values{"lr": 1}, Values{"lr": 2}
	if w := (Winner{Values: a, ByLoss: b}); w.best(false)["lr"] != 1 || w.best(true)["lr"] != 2 {
		t.Error("the two winners are mixed up")
	}
	if w := (Winner{Values: a}); w.best(true)["lr"] != 1 {
		t.Error("one winner does not stand for both")
	}
}

func TestCurrentName(t *testing.T) {
	for _, c := range []struct{ recorded, settings, want string }{
		{"precond", `{"lr":0.1,"momentum_mode":"plain"}`, "precond-plain"},
		{"precond", `{"lr":0.1,"rank":32}`, "precond"},
		{"precond-above", `{"lr":0.1,"momentum_mode":"plain"}`, "precond-above"},
		{"sgdm", `{}`, "sgdm"},
	} {
		if got := CurrentName(c.recorded, []byte(c.settings)); got != c.want {
			t.Errorf("%s with %s is %s, want %s", c.recorded, c.settings, got, c.want)
		}
	}
}

// A count of meta-steps is that of a Trainer.
func TestPrecondLearning(t *testing.T) {
	if !lowRankPrecond.Available() {
		t.Skip("the library has no optimizer " + lowRankPrecond.Needs)
	}
	x, y := tensor.New(tensor.WithShape(4, 3), tensor.WithBacking([]float32{1, 0, 2, 0, 1, 1, 3, 1, 0, 1, 1, 2})), tensor.New(tensor.WithShape(4, 1), tensor.WithBacking([]float32{1, 0, 1, 2}))
	v := Values{"lr": 0.1, "damping": 1e-3, "clip_to_damping": 0.1, "rank": 2, "frequent": 4, "warm_up": 3, "k": 3}
	o, opts, err := lowRankPrecond.Build(v, Run{})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := trainers.New(layers.MLP(3, 2, 1), graph.SquaredError, o, opts...)
	if err != nil {
		t.Fatal(err)
	}
	n := int(v["warm_up"])
	for step := range 40 {
		s, err := tr.Step(graph.NewBatch(x, y))
		if err != nil {
			t.Fatal(err)
		}
		if s.Meta != nil {
			n++
		}
		if want := precondLearning(v, step+1); n != want {
			t.Fatalf("%d meta-steps after step %d, want %d", n, step, want)
		}
	}
}

// Half of the samples of a logarithmic range lie below its geometric mean.
func TestRangesAreDrawnInTheLogarithm(t *testing.T) {
	s := Space{{Name: "lr", Default: 1, Min: 1e-4, Max: 1}, {Name: "beta", Default: 0, Min: 0, Max: 1, Linear: true}}
	low, lowLinear := 0, 0
	for i := 1; i <= 1000; i++ {
		v := s.Sample("m", 1, i)
		if v["lr"] < 1e-2 {
			low++
		}
		if v["beta"] < 0.5 {
			lowLinear++
		}
	}
	if low < 430 || low > 570 || lowLinear < 430 || lowLinear > 570 {
		t.Errorf("%d and %d of 1000 draws below the middle", low, lowLinear)
	}
}

func TestImpossibleDimensions(t *testing.T) {
	for _, d := range []Dimension{
		{},
		{Name: "a", Min: 0, Max: 1},
		{Name: "a", Min: 2, Max: 1, Default: 1.5},
		{Name: "a", Min: 1, Max: 2, Default: 3},
		{Name: "a", Min: 1, Max: 2, Default: 1, Choices: []float64{1}},
	} {
		if d.check() == nil {
			t.Errorf("no error for %+v", d)
		}
	}
}

func TestMethodsBuildFromTheirDefaults(t *testing.T) {
	for _, m := range All() {
		if !m.Available() {
			continue
		}
		v, source, err := m.Settings(Search{Experiments: []string{"no such experiment"}, Scale: "small"})
		if err != nil || source != "default" {
			t.Fatalf("%s: settings from %q: %v", m.Name, source, err)
		}
		o, _, err := m.Build(v, Run{Steps: 100, L2: 0.5, Rate: 0.125})
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if m.Base != "" && o.LearningRate() != 0.125 {
			t.Errorf("%s starts from %v", m.Name, o.LearningRate())
		}
		if got := l2Of(o); !math.IsNaN(got) && got != 0.5 {
			t.Errorf("%s: L2 penalty %v", m.Name, got)
		}
		if m.Base != "" {
			if _, err := Get(m.Base); err != nil {
				t.Error(err)
			}
		}
	}
}

// l2Of is the weight decay of an optimizer that should have the L2 penalty, NaN of others.
func l2Of(o trainers.Optimizer) float64 {
	switch o := o.(type) {
	case *rule.SGDConfig:
		return o.WeightDecay
	case *rule.AdamConfig:
		if !o.Decoupled {
			return o.WeightDecay
		}
	case *curvature.KFACConfig:
		return o.WeightDecay
	case *curvature.EKFACConfig:
		return o.WeightDecay
	case *precond.Config:
		return o.WeightDecay
	case *precond.PlainConfig:
		return o.WeightDecay
	}
	return math.NaN()
}

// The methods and hyperparameters of the stored winners exist.
func TestStoredWinners(t *testing.T) {
	stored, err := fs.Sub(tunedFiles, "tuned")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(stored, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		base := strings.TrimSuffix(name, ".json")
		i := strings.LastIndex(base, "-")
		tuned, err := LoadTuned(stored, base[:i], base[i+1:])
		if err != nil {
			t.Fatal(err)
		}
		for method, w := range tuned {
			m, err := Get(method)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			folder := "" // of the spaces that the experiment searches
			switch {
			case strings.HasPrefix(name, "table2-iwslt14"):
				folder = "text"
			case strings.HasPrefix(name, "table"):
				folder = "images"
			}
			space, err := m.SearchSpace(folder)
			if err != nil {
				t.Fatal(err)
			}
			defaults := space.Defaults()
			for v := range w.Values {
				if _, ok := defaults[v]; !ok {
					t.Errorf("%s: %s has no hyperparameter %q", name, method, v)
				}
			}
			if w.Command == "" || w.Configs < 1 {
				t.Errorf("%s: %s does not say how it was found", name, method)
			}
		}
	}
}
