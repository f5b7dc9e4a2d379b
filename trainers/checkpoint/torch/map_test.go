package torch_test

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

func dense[T any](backing []T, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))
}

// counted has 0, 1, 2, … as elements.
func counted[T apoops.Float](shape ...int) *tensor.Dense {
	x := make([]T, tensor.Shape(shape).TotalSize())
	for i := range x {
		x[i] = T(i)
	}
	return dense(x, shape...)
}

// The axes of every kind of parameter, element by element, for shapes without equal
// lengths, and the way back.
func TestAxes(t *testing.T) {
	const o, c, h, w = 5, 2, 3, 4
	m := torch.Map{
		"conv":   {Weight: "conv.w", Bias: "conv.b", Kernel: []int{h, w}},
		"linear": {Weight: "linear.w"},
		"table":  {Weight: "table.w", Keep: true},
		"vector": {Weight: "vector.w"},
		"four":   {Weight: "four.w"},
		"row":    {Weight: "row.b", Vector: true},
	}
	like := []checkpoint.NamedTensor{
		{Name: "conv", Value: counted[float64](c*h*w+1, o)}, {Name: "linear", Value: counted[float64](7, 3)}, {Name: "table", Value: counted[float64](7, 3)},
		{Name: "vector", Value: counted[float64](6)}, {Name: "four", Value: counted[float64](2, 3, 1, 2)},
		{Name: "row", Value: counted[float64](1, 4)},
	}
	there := []checkpoint.NamedTensor{
		{Name: "conv.w", Value: counted[float64](o, c, h, w)}, {Name: "conv.b", Value: dense([]float64{-1, -2, -3, -4, -5}, o)},
		{Name: "linear.w", Value: counted[float64](3, 7)}, {Name: "table.w", Value: counted[float64](7, 3)},
		{Name: "vector.w", Value: counted[float64](6)}, {Name: "four.w", Value: counted[float64](2, 3, 1, 2)},
		{Name: "row.b", Value: counted[float64](4)},
	}
	here, err := m.Import(like, there)
	if err != nil {
		t.Fatal(err)
	}
	at := func(x *tensor.Dense, index ...int) float64 {
		v, err := x.At(index...)
		if err != nil {
			t.Fatal(err)
		}
		return v.(float64)
	}
	for i := range o {
		for j := range c {
			for k := range h {
				for l := range w {
					if got, want := at(here[0].Value, (j*h+k)*w+l, i), at(there[0].Value, i, j, k, l); got != want {
						t.Fatalf("kernel %d, channel %d, row %d, column %d: %v, want %v", i, j, k, l, got, want)
					}
				}
			}
		}
		if got := at(here[0].Value, c*h*w, i); got != float64(-1-i) {
			t.Fatalf("bias %d is %v", i, got)
		}
	}
	for i := range 7 {
		for j := range 3 {
			if at(here[1].Value, i, j) != at(there[2].Value, j, i) || at(here[2].Value, i, j) != at(there[3].Value, i, j) {
				t.Fatalf("element %d,%d of the matrix or the table", i, j)
			}
		}
	}
	back, err := m.Export(here)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range back {
		if b.Name != there[i].Name || !slices.Equal(b.Value.Shape(), there[i].Value.Shape()) || !b.Value.Eq(there[i].Value) {
			t.Errorf("%s came back as %v", there[i].Name, b)
		}
	}
}

// Floats of a file become those of the model.
func TestDtypes(t *testing.T) {
	m := torch.Map{"v": {Weight: "w"}}
	of := func(name string, v *tensor.Dense) []checkpoint.NamedTensor {
		return []checkpoint.NamedTensor{{Name: name, Value: v}}
	}
	got, err := m.Import(of("v", counted[float32](2)), of("w", dense([]float64{0.1, 1e-3}, 2)))
	if err != nil || !slices.Equal(got[0].Value.Float32s(), []float32{0.1, 1e-3}) {
		t.Errorf("%v, %v", got, err)
	}
	got, err = m.Import(of("v", counted[float64](2)), of("w", dense([]float32{0.1, 1e-3}, 2)))
	if err != nil || !slices.Equal(got[0].Value.Float64s(), []float64{float64(float32(0.1)), float64(float32(1e-3))}) {
		t.Errorf("%v, %v", got, err)
	}
	got, err = m.Import(of("v", counted[float32](2)), []checkpoint.NamedTensor{{Name: "w", Value: dense([]uint16{0x3f80, 0xc000}, 2), Format: apoops.BFloat16}})
	if err != nil || !slices.Equal(got[0].Value.Float32s(), []float32{1, -2}) {
		t.Errorf("16 bits: %v, %v", got, err)
	}
}

func TestReadMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"dense0": "fc1", "conv1": {"weight": "a", "bias": "b", "kernel": [5, 3]}, "table": {"weight": "c", "keep": true}}`)
	m, err := torch.ReadMap(path)
	want := torch.Map{
		"dense0": {Weight: "fc1.weight", Bias: "fc1.bias"}, "conv1": {Weight: "a", Bias: "b", Kernel: []int{5, 3}}, "table": {Weight: "c", Keep: true},
	}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("%v, %v", m, err)
	}
	for text, says := range map[string]string{
		``:                                      "EOF",
		`{"dense0": `:                           "EOF",
		`[]`:                                    "array",
		`{"dense0": "fc1"} {}`:                  "more behind",
		`{"dense0": 5}`:                         "number",
		`{"dense0": ""}`:                        "without a name",
		`{"dense0": null}`:                      "without a name",
		`{"dense0": {"wieght": "a"}}`:           "wieght",
		`{"dense0": {"bias": "a"}}`:             `"dense0": no weight`,
		`{"a": "fc1", "b": "fc1"}`:              `tensor "fc1.weight" belongs to "a" and to "b"`,
		`{"a": {"weight":"w", "bias":"w"}}`:     `tensor "w" belongs to "a" and to "a"`,
		`{"a": {"weight":"w", "kernel":[5]}}`:   `"a": kernel [5]`,
		`{"a": {"weight":"w", "kernel":[]}}`:    `"a": kernel []`,
		`{"a": {"weight":"w", "kernel":[0,1]}}`: `"a": kernel [0 1]`,
		`{"a": {"weight":"w", "bias":"b", "keep": true}}`: `"a": keep and vector`,
	} {
		write(text)
		if _, err := torch.ReadMap(path); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q", text, err, says)
		}
	}
	if _, err := torch.ReadMap(path + "x"); !os.IsNotExist(cause(err)) {
		t.Error(err)
	}
}

func cause(err error) error {
	for {
		c, ok := err.(interface{ Cause() error })
		if !ok {
			return err
		}
		err = c.Cause()
	}
}

func TestModules(t *testing.T) {
	model := layers.Sequential(layers.Conv(3, 6, 5, apoops.ReLUAct), layers.BatchNorm(6, apoops.Identity), layers.Flatten(),
		&layers.DenseLayer{Inputs: 6, Outputs: 4, NoBias: true}, layers.LayerNorm(4))
	params, err := model.Init(1, tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	params = append(params, &graph.Param{Name: "table", Value: counted[float32](5, 4)})
	names := func() map[string]string {
		return map[string]string{"conv0": "a", "bn1": "b", "dense2": "c", "norm3": "d", "table": "e"}
	}
	m, err := torch.Modules(params, names())
	want := torch.Map{
		"conv0":     {Weight: "a.weight", Bias: "a.bias", Kernel: []int{5, 5}},
		"bn1/scale": {Weight: "b.weight", Keep: true}, "bn1/shift": {Weight: "b.bias", Keep: true},
		"bn1/mean": {Weight: "b.running_mean", Keep: true}, "bn1/variance": {Weight: "b.running_var", Keep: true},
		"dense2":     {Weight: "c.weight"},
		"norm3/gain": {Weight: "d.weight", Keep: true}, "norm3/shift": {Weight: "d.bias", Keep: true},
		"table": {Weight: "e.weight", Keep: true},
	}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("%v, %v", m, err)
	}
	for what, c := range map[string]struct {
		change func(m map[string]string)
		says   string
	}{
		"missing":      {func(m map[string]string) { delete(m, "dense2") }, `no module for the parameter "dense2"`},
		"missing part": {func(m map[string]string) { delete(m, "bn1") }, `no module for the parameter "bn1/mean"`},
		"extra":        {func(m map[string]string) { m["dense9"] = "f" }, `no layer "dense9" for the module "f"`},
		"twice":        {func(m map[string]string) { m["dense2"] = "a" }, `tensor "a.weight" belongs to "conv0" and to "dense2"`},
	} {
		all := names()
		c.change(all)
		if _, err := torch.Modules(params, all); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one with %q", what, err, c.says)
		}
	}
}

// badFile is a change of a good state dict or map and what the error says.
type badFile struct {
	change func(f map[string]*tensor.Dense, m torch.Map)
	says   []string
}

var badFiles = map[string]badFile{
	"missing tensor": {func(f map[string]*tensor.Dense, _ torch.Map) { delete(f, "fc2.bias") }, []string{`no tensor "fc2.bias"`, `"dense1"`}},
	"extra tensor":   {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc3.bias"] = counted[float32](3) }, []string{`tensor "fc3.bias" is not in the map`}},
	"renamed": {func(f map[string]*tensor.Dense, _ torch.Map) {
		f["fc1.wieght"] = f["fc1.weight"]
		delete(f, "fc1.weight")
	}, []string{`no tensor "fc1.weight"`, `tensor "fc1.wieght" is not in the map`}},
	"transposed": {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc1.weight"] = counted[float32](4, 5) }, []string{`tensor "fc1.weight" has shape (4, 5)`, `"dense0" of shape (5, 5) needs (5, 4)`}},
	"other size": {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc2.weight"] = counted[float32](3, 6) }, []string{`"fc2.weight" has shape (3, 6)`, `(3, 5)`}},
	"scalar": {func(f map[string]*tensor.Dense, _ torch.Map) {
		f["fc2.weight"] = tensor.New(tensor.FromScalar(float32(1)))
	}, []string{`"fc2.weight" has shape ()`}},
	"long bias":       {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc1.bias"] = counted[float32](6) }, []string{`"fc1.bias" has shape (6)`, "(5)"}},
	"row for bias":    {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc1.bias"] = counted[float32](1, 5) }, []string{`"fc1.bias" has shape (1, 5)`}},
	"integers":        {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc1.bias"] = dense(make([]int, 5), 5) }, []string{`tensor "fc1.bias"`, "int"}},
	"NaN":             {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc2.weight"].Float32s()[7] = float32(math.NaN()) }, []string{`tensor "fc2.weight": element 7 is NaN`}},
	"infinite":        {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc2.bias"].Float32s()[1] = float32(math.Inf(-1)) }, []string{`tensor "fc2.bias": element 1 is -Inf`}},
	"beyond float32":  {func(f map[string]*tensor.Dense, _ torch.Map) { f["fc2.bias"] = dense([]float64{0, 0, 1e39}, 3) }, []string{`tensor "fc2.bias": element 2 is 1e+39`, "float32"}},
	"not in the map":  {func(_ map[string]*tensor.Dense, m torch.Map) { delete(m, "dense1") }, []string{`parameter "dense1" is not in the map`, `tensor "fc2.bias" is not in the map`}},
	"another model's": {func(_ map[string]*tensor.Dense, m torch.Map) { m["dense7"] = torch.Source{Weight: "x"} }, []string{`the map has "dense7", which the model lacks`}},
	"kernel": {func(_ map[string]*tensor.Dense, m torch.Map) {
		s := m["dense0"]
		s.Kernel = []int{2, 2}
		m["dense0"] = s
	}, []string{`tensor "fc1.weight" has shape (5, 4)`, "(5, 1, 2, 2)"}},
	"no such kernel": {func(_ map[string]*tensor.Dense, m torch.Map) {
		s := m["dense0"]
		s.Kernel = []int{3, 1}
		m["dense0"] = s
	}, []string{`parameter "dense0"`, "3×1"}},
	"shared": {func(_ map[string]*tensor.Dense, m torch.Map) { m["dense1"] = m["dense0"] }, []string{`"fc1.weight" belongs to "dense0" and to "dense1"`}},
}

// goodFile is a state dict for the net 4-5-3.
func goodFile() map[string]*tensor.Dense {
	return map[string]*tensor.Dense{
		"fc1.weight": counted[float32](5, 4), "fc1.bias": counted[float32](5), "fc2.weight": counted[float32](3, 5), "fc2.bias": counted[float32](3),
	}
}

// Whatever is wrong with a file or a map, the error names file and tensor, and the training
// goes on as if there had been none.
func TestBadFilesLeaveTheTrainer(t *testing.T) {
	fresh := func() *trainers.Trainer {
		tr, err := trainers.New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, trainers.SGDm(0.1), trainers.EveryK(0))
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	step := func(tr *trainers.Trainer) {
		if _, err := tr.Step(graph.NewBatch(counted[float32](6, 4), dense([]int{0, 1, 2, 0, 1, 2}, 6))); err != nil {
			t.Fatal(err)
		}
	}
	same := func(what string, a, b *trainers.Trainer) {
		t.Helper()
		for i, p := range a.Params() {
			if !p.Value.Eq(b.Params()[i].Value) || a.Steps() != b.Steps() {
				t.Fatalf("%s: the trainer was changed", what)
			}
		}
	}
	tr, twin := fresh(), fresh()
	names := map[string]string{"dense0": "fc1", "dense1": "fc2"}
	path := filepath.Join(t.TempDir(), "net.safetensors")
	step(tr)
	step(twin)
	for what, c := range badFiles {
		m, err := torch.Modules(tr.Params(), names)
		if err != nil {
			t.Fatal(err)
		}
		file := goodFile()
		c.change(file, m)
		var all []checkpoint.NamedTensor
		for name, v := range file {
			all = append(all, checkpoint.NamedTensor{Name: name, Value: v})
		}
		if err := checkpoint.WriteSafetensors(path, all); err != nil {
			t.Fatal(err)
		}
		err = tr.LoadTorch(path, m)
		for _, says := range append(c.says, path) {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: error %v, want one with %q", what, err, says)
			}
		}
		same(what, tr, twin)
	}
	if err := tr.LoadTorch(path+"x", nil); err == nil || !strings.Contains(err.Error(), path+"x") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("no safetensors"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tr.LoadTorch(path, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if err := tr.SaveTorch(path, nil); err == nil || !strings.Contains(err.Error(), `"dense0" is not in the map`) {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); string(text) != "no safetensors" {
		t.Errorf("a file was written over: %v", err)
	}
	step(tr)
	step(twin)
	same("a step later", tr, twin)
}

// What Export refuses, and calls without values.
func TestExportRefuses(t *testing.T) {
	fc := torch.Map{"a": {Weight: "w", Bias: "b"}}
	named := func(v *tensor.Dense) []checkpoint.NamedTensor { return []checkpoint.NamedTensor{{Name: "a", Value: v}} }
	nan := counted[float32](3, 2)
	nan.Float32s()[4] = float32(math.NaN())
	for what, c := range map[string]struct {
		m      torch.Map
		params []checkpoint.NamedTensor
		says   string
	}{
		"NaN":          {fc, named(nan), `"a": element 4 is NaN`},
		"only a bias":  {fc, named(counted[float32](1, 2)), `"a" of shape (1, 2)`},
		"vector":       {fc, named(counted[float32](2)), `"a" of shape (2) is no matrix`},
		"integers":     {fc, named(dense([]int{1, 2}, 2, 1)), `"a"`},
		"no value":     {fc, named(nil), `"a" has no value`},
		"kernel":       {torch.Map{"a": {Weight: "w", Bias: "b", Kernel: []int{2, 2}}}, named(counted[float32](7, 2)), `"a": 6 rows`},
		"large kernel": {torch.Map{"a": {Weight: "w", Kernel: []int{math.MaxInt, math.MaxInt}}}, named(counted[float32](7, 2)), `"a": 7 rows`},
		"other model":  {torch.Map{"a": {Weight: "w"}, "z": {Weight: "z"}}, named(nan), `"z", which the model lacks`},
	} {
		if _, err := c.m.Export(c.params); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one with %q", what, err, c.says)
		}
	}
	if _, err := fc.Import(named(nil), nil); err == nil || !strings.Contains(err.Error(), `"a" has no value`) {
		t.Error(err)
	}
	if _, err := fc.Import(named(nan), []checkpoint.NamedTensor{{Name: "w"}}); err == nil || !strings.Contains(err.Error(), `"w" has no value`) {
		t.Error(err)
	}
}
