package layers

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// TestImageModels checks the numbers of weights against those published for 10
// classes, by our count of the layers for resnet8, and the shape of the logits.
func TestImageModels(t *testing.T) {
	for name, want := range map[string]int{
		"lenet": 62006, "alexnet": 2472266, "vgg16": 14719818, "resnet18": 11173962, "resnet34": 21282122,
		"resnet32": 464154, "resnet32-wide": 7386186, "wrn-28-10": 36479194, "resnet8": 75290,
	} {
		if !slices.Contains(ImageModels(), name) {
			t.Errorf("%s is not listed", name)
		}
		if got := weights(t, name, 10); got != want {
			t.Errorf("%s has %d weights, want %d", name, got, want)
		}
		// A further class is a further column of the last layer.
		last := map[string]int{"lenet": 85, "alexnet": 257, "vgg16": 513, "resnet18": 513, "resnet34": 513, "resnet32": 65, "resnet32-wide": 257, "wrn-28-10": 641, "resnet8": 65}[name]
		if got := weights(t, name, 100); got != want+90*last {
			t.Errorf("%s has %d weights for 100 classes, want %d", name, got, want+90*last)
		}
		m, err := ImageModel(name, 7)
		if err != nil {
			t.Fatal(err)
		}
		specs, err := m.layers.params()
		if err != nil {
			t.Fatal(err)
		}
		g := gorgonia.NewGraph()
		x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithName("x"), gorgonia.WithShape(5, 3, 32, 32))
		var theta gorgonia.Nodes
		for _, s := range specs {
			theta = append(theta, gorgonia.NewTensor(g, tensor.Float32, s.Shape.Dims(), gorgonia.WithName(s.Name), gorgonia.WithShape(s.Shape...)))
		}
		for _, role := range []graph.Role{graph.BaseRole, graph.EvalRole} {
			y, err := m.Output(&graph.Pass{Role: role}, gorgonia.Nodes{x}, theta)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !y.Shape().Eq(tensor.Shape{5, 7}) {
				t.Errorf("%s returns %v", name, y.Shape())
			}
		}
	}
	if len(ImageModels()) != 9 {
		t.Errorf("%d models: %v", len(ImageModels()), ImageModels())
	}
}

// TestFirstLoss finds small logits of a new net.
func TestFirstLoss(t *testing.T) {
	x := randomPictures(rand.New(rand.NewPCG(5, 4)), 2, 3, 32, 32)
	for _, name := range []string{"lenet", "alexnet", "resnet8"} {
		m, err := ImageModel(name, 10)
		if err != nil {
			t.Fatal(err)
		}
		params, err := m.Init(1, tensor.Float64)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range outputOf(t, m, params, graph.BaseRole, x) {
			if v == 0 || math.Abs(v) > 0.7 {
				t.Errorf("%s: a logit starts at %v", name, v)
			}
		}
	}
}

// weights counts the learned parameters of a model.
func weights(t *testing.T, name string, classes int) (n int) {
	t.Helper()
	m, err := ImageModel(name, classes)
	if err != nil {
		t.Fatal(err)
	}
	specs, err := m.layers.params()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range specs {
		if !s.Statistic {
			n += s.Shape.TotalSize()
		}
	}
	return n
}

func TestImageModelMistakes(t *testing.T) {
	_, err := ImageModel("lenet6", 10)
	for _, text := range append(ImageModels(), "lenet6") {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Fatalf("%q is not in the error %v", text, err)
		}
	}
	if _, err := ImageModel("lenet", 0); err == nil || !strings.Contains(err.Error(), "0 classes") {
		t.Errorf("no classes: error %v", err)
	}
	for what, m := range map[string]*Model{"depth 27": WideResNet(27, 10, 10), "depth 4": WideResNet(4, 10, 10), "widened by 0": WideResNet(28, 0, 10), "width -1": ResNet32(10, -1)} {
		if _, err := m.Init(1, tensor.Float32); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}
