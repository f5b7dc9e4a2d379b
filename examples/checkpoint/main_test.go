package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/average"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

func start(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit(program(ctx, args, stdout, stderr), stderr)
}

// call runs the program and returns what it prints; it fails the test for another exit code.
func call(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if got := start(t.Context(), args, &out, &err); got != code {
		t.Fatalf("%q: exit code %d, want %d\n%s%s", args, got, code, &out, &err)
	}
	return out.String(), err.String()
}

// says fails the test where one of the parts is not in the text.
func says(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in\n%s", p, text)
		}
	}
}

// steps is how many steps the runs of these tests have.
const steps = 40

func newTrainer(t *testing.T, o trainers.Optimizer, opts ...trainers.Option) *trainers.Trainer {
	t.Helper()
	tr, err := trainers.New(layers.MLPWith(apoops.TanhAct, 4, 5, 3), graph.SoftmaxCrossEntropy, o, append(opts, trainers.EveryK(2))...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// trained leaves a run of some steps in the folder: a checkpoint and logs, as mnist does.
func trained(t *testing.T, folder string, o trainers.Optimizer, opts ...trainers.Option) *trainers.Trainer {
	t.Helper()
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	log, _, err := trainers.OpenJSONL(filepath.Join(folder, "steps.jsonl"), 0)
	if err != nil {
		t.Fatal(err)
	}
	tr := newTrainer(t, o, append(opts, trainers.Record(log))...)
	x, labels := make([]float32, 24), []int{0, 1, 2, 0, 1, 2}
	for i := range x {
		x[i] = float32(math.Sin(float64(i)))
	}
	b := graph.NewBatch(tensor.New(tensor.WithShape(6, 4), tensor.WithBacking(x)), tensor.New(tensor.WithShape(6), tensor.WithBacking(labels)))
	for range steps {
		if _, err := tr.Step(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	epochs := "epoch,step,test_loss,test_accuracy\n1,20,0.9,0.5\n2,40,0.7,0.75\n"
	if err := os.WriteFile(filepath.Join(folder, "epochs.csv"), []byte(epochs), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := tr.Save(filepath.Join(folder, "checkpoint")); err != nil {
		t.Fatal(err)
	}
	return tr
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestHelp(t *testing.T) {
	out, _ := call(t, cli.OK, "-h")
	for _, c := range commands {
		says(t, out, c.name, c.help)
		own, _ := call(t, cli.OK, c.name, "-h")
		says(t, own, c.about, "checkpoint "+c.name)
	}
	says(t, out, "Exit codes", "3 diff")
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	out, _ := call(t, cli.OK, "list", dir)
	says(t, out, "no checkpoints")
	tr := trained(t, filepath.Join(dir, "a", "b"), trainers.Adam(0.01))
	if err := tr.SaveWeights(filepath.Join(dir, "a", "w.safetensors")); err != nil {
		t.Fatal(err)
	}
	out, _ = call(t, cli.OK, "list", dir)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3:\n%s", len(lines), out)
	}
	says(t, lines[1], filepath.Join("a", "b", "checkpoint"), "checkpoint", "40", "adam", "43") // 5·5 + 6·3 weights
	says(t, lines[2], filepath.Join("a", "w.safetensors"), "safetensors", " - ", "43")

	write(t, filepath.Join(dir, "a", "w.safetensors"), []byte("{}"))
	out, message := call(t, cli.Failed, "list", dir)
	says(t, out, "not readable", "adam")
	says(t, message, "1 of 2 files")
}

func TestShow(t *testing.T) {
	dir := t.TempDir()
	trained(t, dir, trainers.Adam(0.02))
	out, _ := call(t, cli.OK, "show", dir)
	says(t, out, "settings.lr", "0.02", "steps", "softmax-cross-entropy", "dense 4×5, tanh", "state of the optimizer", "what APO learns",
		"dense0", "(5, 5)", "dense1", "(6, 3)", "history of 40 steps", "to step 40", "75.00%")

	// A run that diverged and still writes its log.
	log := contents(t, filepath.Join(dir, "steps.jsonl"))
	write(t, filepath.Join(dir, "steps.jsonl"), append(log, []byte(`{"step":40,"loss":"NaN","rates":["+Inf"]}`+"\n"+`{"step":41,"lo`)...))
	out, _ = call(t, cli.OK, "show", dir)
	says(t, out, "history of 41 steps", "NaN", "+Inf")
	write(t, filepath.Join(dir, "steps.jsonl"), []byte("{\n{\n"))
	_, message := call(t, cli.Failed, "show", dir)
	says(t, message, "steps.jsonl: line 1")

	for _, name := range []string{"steps.jsonl", "epochs.csv"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	out, _ = call(t, cli.OK, "show", filepath.Join(dir, "checkpoint"))
	says(t, out, "history: none")
}

func TestDiff(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	tr := trained(t, a, trainers.Adam(0.01))
	trained(t, b, trainers.Adam(0.01))
	call(t, cli.OK, "diff", a, b)
	weights := filepath.Join(dir, "w.safetensors")
	if err := tr.SaveWeights(weights); err != nil {
		t.Fatal(err)
	}
	call(t, cli.OK, "diff", a, weights)

	// One weight moves by a half.
	s, err := checkpoint.Read(filepath.Join(b, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	s.Tensors[0].Value.Float32s()[3] += 0.5
	if err := checkpoint.Write(filepath.Join(b, "checkpoint"), s); err != nil {
		t.Fatal(err)
	}
	out, message := call(t, differ, "diff", a, b)
	says(t, out, "theta/dense0", "0.5")
	says(t, message, "differ in 1 settings and arrays")
	if strings.Contains(out, "dense1") || strings.Contains(out, "settings") {
		t.Errorf("names what is the same:\n%s", out)
	}
	out, _ = call(t, differ, "diff", weights, b)
	says(t, out, "dense0")

	trained(t, b, trainers.SGDm(0.3))
	out, _ = call(t, differ, "diff", a, b)
	says(t, out, "settings.lr", "0.01", "0.3", "optimizer", "adam", "sgdm", "settings.beta1", "only in the first")
	out, _ = call(t, differ, "diff", b, a)
	says(t, out, "only in the second")
}

func TestPlot(t *testing.T) {
	dir := t.TempDir()
	a, b, plots := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "plots")
	trained(t, a, trainers.Adam(0.01))
	trained(t, b, trainers.SGDm(0.01))
	for _, c := range []struct {
		names, pictures []string
	}{
		{[]string{a}, []string{"loss.png", "rate.png", "weights.png"}},
		{[]string{a, b}, []string{"loss.png", "rate.png"}},
	} {
		if err := os.RemoveAll(plots); err != nil {
			t.Fatal(err)
		}
		out, _ := call(t, cli.OK, append([]string{"plot", "-o", plots, "-smooth", "5"}, c.names...)...)
		found, err := os.ReadDir(plots)
		if err != nil || len(found) != len(c.pictures) {
			t.Errorf("%d pictures, want %v: %v", len(found), c.pictures, err)
		}
		for _, p := range c.pictures {
			says(t, out, p)
			exampletest.CheckPicture(t, filepath.Join(plots, p))
		}
	}
	p := filepath.Join(dir, "p")
	trained(t, p, trainers.Precond(0.01))
	call(t, cli.OK, "plot", "-o", plots, p)
	exampletest.CheckPicture(t, filepath.Join(plots, "precond.png"))

	if err := os.Remove(filepath.Join(b, "steps.jsonl")); err != nil {
		t.Fatal(err)
	}
	out, _ := call(t, cli.OK, "plot", "-o", plots, b)
	if strings.Contains(out, "loss.png") {
		t.Errorf("a loss without a log:\n%s", out)
	}
	_, message := call(t, cli.Failed, "plot", "-o", plots, a, b)
	says(t, message, filepath.Join(b, "steps.jsonl"))
}

// A histogram has the mass 1, whatever the numbers are.
func TestDensity(t *testing.T) {
	for _, x := range [][]float64{{1, 2, 2, 5}, {-1e308, 1e308}, {-3, 0, 0, 0, 7}, {1e-300, 2e-300}} {
		middles, shares := density(x)
		sum := 0.0
		for _, s := range shares {
			sum += s * (middles[1] - middles[0])
		}
		if len(middles) != 10 || math.Abs(sum-1) > 1e-9 {
			t.Errorf("%v: mass %v in %d intervals", x, sum, len(middles))
		}
	}
	for _, x := range [][]float64{{3}, {3, 3}, {0, 5e-324}} {
		if middles, shares := density(x); len(middles) != 1 || shares[0] != 1 {
			t.Errorf("%v: %v, %v", x, middles, shares)
		}
	}
}

// What export writes is what SaveWeights of the run writes.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	tr := trained(t, dir, trainers.Adam(0.01))
	own, out := filepath.Join(dir, "own.safetensors"), filepath.Join(dir, "out.safetensors")
	for format, opts := range map[string][]trainers.SaveOption{"": nil, "float16": {trainers.InFloat16}, "bfloat16": {trainers.InBFloat16}} {
		if err := tr.SaveWeights(own, opts...); err != nil {
			t.Fatal(err)
		}
		call(t, cli.OK, "export", dir, "-o", out, "-format", format, "-force")
		if !bytes.Equal(contents(t, own), contents(t, out)) {
			t.Errorf("%q: not what SaveWeights writes", format)
		}
	}

	names := filepath.Join(dir, "map.json")
	write(t, names, []byte(`{"dense0": "fc1", "dense1": "fc2"}`))
	m, err := torch.ReadMap(names)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.SaveTorch(own, m); err != nil {
		t.Fatal(err)
	}
	call(t, cli.OK, "export", dir, "-o", out, "-torch", names, "-force")
	if !bytes.Equal(contents(t, own), contents(t, out)) {
		t.Error("not what SaveTorch writes")
	}

	arrays := filepath.Join(dir, "arrays")
	call(t, cli.OK, "export", dir, "-npy", arrays, "-torch", names)
	for _, name := range []string{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"} {
		if !bytes.HasPrefix(contents(t, filepath.Join(arrays, name+".npy")), []byte("\x93NUMPY")) {
			t.Errorf("%s is no array", name)
		}
	}
}

func TestExportAveraged(t *testing.T) {
	dir := t.TempDir()
	tr := trained(t, dir, trainers.Adam(0.01), trainers.Averaged(average.Exponential(0.9)))
	own, out := filepath.Join(dir, "own.safetensors"), filepath.Join(dir, "out.safetensors")
	if err := tr.SaveWeights(own); err != nil {
		t.Fatal(err)
	}
	_, note := call(t, cli.OK, "export", dir, "-o", out)
	says(t, note, "-averaged")
	if bytes.Equal(contents(t, own), contents(t, out)) {
		t.Error("the weights of the training are those of the average")
	}
	if _, note = call(t, cli.OK, "export", dir, "-o", out, "-averaged", "-force"); note != "" {
		t.Errorf("a note: %s", note)
	}
	if !bytes.Equal(contents(t, own), contents(t, out)) {
		t.Error("not what SaveWeights writes")
	}
}

func TestStrip(t *testing.T) {
	dir := t.TempDir()
	tr := trained(t, dir, trainers.Adam(0.01))
	out := filepath.Join(dir, "weights.checkpoint")
	call(t, cli.OK, "strip", dir, "-o", out)
	whole, stripped := contents(t, filepath.Join(dir, "checkpoint")), contents(t, out)
	if len(stripped) >= len(whole) {
		t.Errorf("%d bytes of %d", len(stripped), len(whole))
	}
	call(t, cli.OK, "verify", out)
	other := newTrainer(t, trainers.Adam(0.01))
	if err := other.LoadWeights(out); err != nil {
		t.Fatal(err)
	}
	for i, p := range other.Params() {
		if !p.Value.Eq(tr.Params()[i].Value) {
			t.Errorf("%s has other weights", p.Name)
		}
	}
	if err := other.Load(out); err == nil || !strings.Contains(err.Error(), `no "state/`) {
		t.Errorf("a run goes on without its state: %v", err)
	}
	call(t, cli.OK, "show", out)
}

// Every damage is seen, and named.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	tr := trained(t, dir, trainers.Adam(0.01))
	path, weights := filepath.Join(dir, "checkpoint"), filepath.Join(dir, "w.safetensors")
	if err := tr.SaveWeights(weights); err != nil {
		t.Fatal(err)
	}
	out, _ := call(t, cli.OK, "verify", dir, weights)
	says(t, out, path+": whole, checkpoint", weights+": whole, safetensors", "43 numbers")

	good := contents(t, path)
	for at := 0; at < len(good); at += 37 {
		bad := bytes.Clone(good)
		bad[at] ^= 4
		write(t, path, bad)
		_, message := call(t, cli.Failed, "verify", weights, path)
		says(t, message, path, "1 of 2 files")
	}
	write(t, path, good[:len(good)-1])
	_, message := call(t, cli.Failed, "verify", path)
	says(t, message, path, "corrupt")

	changed := func(change func(s *checkpoint.Snapshot, meta map[string]any)) string {
		s, err := checkpoint.Decode(good)
		if err != nil {
			t.Fatal(err)
		}
		var meta map[string]any
		if err := json.Unmarshal(s.Meta, &meta); err != nil {
			t.Fatal(err)
		}
		change(s, meta)
		if s.Meta, err = json.Marshal(meta); err != nil {
			t.Fatal(err)
		}
		if err := checkpoint.Write(path, s); err != nil {
			t.Fatal(err)
		}
		_, message := call(t, cli.Failed, "verify", path)
		return message
	}
	for what, c := range map[string]struct {
		change func(s *checkpoint.Snapshot, meta map[string]any)
		says   string
	}{
		"NaN": {func(s *checkpoint.Snapshot, _ map[string]any) { s.Tensors[1].Value.Float32s()[2] = float32(math.NaN()) }, `tensor "theta/dense1": element 2 is NaN`},
		"infinite": {func(s *checkpoint.Snapshot, _ map[string]any) {
			s.Tensors[2].Value.Float32s()[0] = float32(math.Inf(1))
		}, `tensor "state/`},
		"missing":   {func(s *checkpoint.Snapshot, _ map[string]any) { s.Tensors = s.Tensors[1:] }, "no array for the parameter dense0 float32 (5, 5)"},
		"extra":     {func(s *checkpoint.Snapshot, _ map[string]any) { s.Tensors[2].Name = "theta/dense2" }, "the weights have dense2 float32"},
		"settings":  {func(_ *checkpoint.Snapshot, meta map[string]any) { delete(meta, "optimizer") }, "no optimizer"},
		"no number": {func(_ *checkpoint.Snapshot, meta map[string]any) { delete(meta, "steps") }, "no number of steps"},
	} {
		message := changed(c.change)
		if !strings.Contains(message, c.says) || !strings.Contains(message, path) {
			t.Errorf("%s: %q does not say %q", what, message, c.says)
		}
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	tr := trained(t, dir, trainers.Adam(0.01))
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := tr.SaveWeights(in("w.safetensors")); err != nil {
		t.Fatal(err)
	}
	write(t, in("text"), []byte("hello"))
	write(t, in("text.safetensors"), []byte("hello"))
	write(t, in("map.json"), []byte(`{"dense0": "fc1"}`))
	write(t, in("wrong.json"), []byte(`{"dense0": {"wieght": "fc1"}}`))
	if err := checkpoint.Write(in("empty"), &checkpoint.Snapshot{}); err != nil {
		t.Fatal(err)
	}
	clash := []checkpoint.NamedTensor{{Name: "a/b", Value: tr.Params()[0].Value}, {Name: "a.b", Value: tr.Params()[0].Value}}
	if err := checkpoint.WriteSafetensors(in("clash.safetensors"), clash); err != nil {
		t.Fatal(err)
	}
	out := in("new.safetensors")
	all := []exampletest.BadInput{
		{Args: nil, Code: cli.Usage, Says: []string{"no command"}},
		{Args: []string{"lsit"}, Code: cli.Usage, Says: []string{`"lsit"`, "list"}},
		{Args: []string{"show"}, Code: cli.Usage, Says: []string{"show takes FILE|FOLDER"}},
		{Args: []string{"diff", dir}, Code: cli.Usage, Says: []string{"diff takes FILE FILE"}},
		{Args: []string{"diff", dir, dir, dir}, Code: cli.Usage, Says: []string{"3 names"}},
		{Args: []string{"verify"}, Code: cli.Usage, Says: []string{"verify takes"}},
		{Args: []string{"show", dir, "-x"}, Code: cli.Usage, Says: []string{"-x"}},
		{Args: []string{"list", in("none")}, Code: cli.Failed, Says: []string{in("none")}},
		{Args: []string{"plot", dir, "-smooth", "0"}, Code: cli.Usage, Says: []string{"-smooth"}},
		{Args: []string{"plot", in("empty"), "-o", in("plots")}, Code: cli.Failed, Says: []string{in("empty"), "no weights"}},
		{Args: []string{"plot", dir, "-o", in("text")}, Code: cli.Failed, Says: []string{"-o", in("text")}},
		{Args: []string{"export", dir}, Code: cli.Usage, Says: []string{"-o", "-npy"}},
		{Args: []string{"export", dir, "-o", out, "-npy", in("n")}, Code: cli.Usage, Says: []string{"-o", "-npy"}},
		{Args: []string{"export", dir, "-o", out, "-format", "int8"}, Code: cli.Usage, Says: []string{"-format", "int8"}},
		{Args: []string{"export", dir, "-npy", in("n"), "-format", "float16"}, Code: cli.Usage, Says: []string{"-format"}},
		{Args: []string{"export", dir, "-o", out, "-averaged"}, Code: cli.Usage, Says: []string{"-averaged", "no average"}},
		{Args: []string{"export", dir, "-o", in("text")}, Code: cli.Usage, Says: []string{in("text"), "-force"}},
		{Args: []string{"export", in("w.safetensors"), "-o", in("w.safetensors"), "-force"}, Code: cli.Usage, Says: []string{"is the file that is read"}},
		{Args: []string{"export", dir, "-o", out, "-torch", in("map.json")}, Code: cli.Failed, Says: []string{`"dense1" is not in the map`, in("checkpoint")}},
		{Args: []string{"export", dir, "-o", out, "-torch", in("wrong.json")}, Code: cli.Failed, Says: []string{"wieght", in("wrong.json")}},
		{Args: []string{"export", dir, "-o", out, "-torch", in("none")}, Code: cli.Failed, Says: []string{in("none")}},
		{Args: []string{"export", in("empty"), "-o", out}, Code: cli.Failed, Says: []string{in("empty"), "no weights"}},
		{Args: []string{"export", in("clash.safetensors"), "-npy", in("n")}, Code: cli.Failed, Says: []string{`"a/b" and "a.b"`}},
		{Args: []string{"export", dir, "-npy", in("text")}, Code: cli.Failed, Says: []string{"-npy"}},
		{Args: []string{"export", dir, "-o", in("no/folder.safetensors")}, Code: cli.Failed, Says: []string{in("no/folder.safetensors")}},
		{Args: []string{"strip", dir}, Code: cli.Usage, Says: []string{"-o"}},
		{Args: []string{"strip", in("w.safetensors"), "-o", out}, Code: cli.Usage, Says: []string{"weights alone"}},
		{Args: []string{"strip", dir, "-o", in("checkpoint"), "-force"}, Code: cli.Usage, Says: []string{"is the file that is read"}},
	}
	for _, command := range []string{"show", "verify", "plot", "list"} {
		for _, name := range []string{"text", "text.safetensors"} {
			all = append(all, exampletest.BadInput{Args: []string{command, in(name)}, Code: cli.Failed})
		}
	}
	for _, command := range []string{"show", "verify", "plot"} {
		all = append(all, exampletest.BadInput{Args: []string{command, in("none")}, Code: cli.Failed, Says: []string{in("none")}})
	}
	exampletest.Refuse(t, start, dir, all)
}
