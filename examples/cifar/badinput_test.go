package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// program is cifar with data from the source and results in out.
func program(out string, source ...datasets.Option) exampletest.Program {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		return cli.Exit(run(ctx, with([]string{"-out", out}, args...), stdout, stderr, source...), stderr)
	}
}

// badFlags are values that cifar is to refuse.
func badFlags() []exampletest.BadInput {
	const huge = "99999999999999999999"
	return slices.Concat(
		exampletest.Flag("model", "", "nosuch", "LENET"),
		exampletest.Flag("data", "", "mnist"),
		exampletest.Flag("limit", "-1", "x", huge, "1000000000000"),
		exampletest.Flag("opt", "", "nosuch"),
		exampletest.Flag("settings", "{", "null", "[]", `"x"`, `{"nosuch": 1}`, `{"momentum": 2}`, `{"momentum": 1e999}`, "{} {}"),
		exampletest.Flag("lr", "0", "-1", "NaN", "Inf", "-Inf", "1e300", "1e999", "x", ""),
		exampletest.Flag("weight-decay", "-1", "NaN", "Inf", "1e300", "x"),
		exampletest.Flag("apo", "magic"),
		exampletest.Flag("k", "-1", "x", "1.5", huge),
		exampletest.Flag("fsd", "-1", "NaN", "Inf", "1e300"),
		exampletest.Flag("wsd", "-1", "NaN", "Inf", "1e300"),
		exampletest.Flag("batch", "0", "-1", "x", huge, "1000000000000"),
		exampletest.Flag("epochs", "0", "-1", "x", huge, "9223372036854775807"),
		exampletest.Flag("schedule", "", "zigzag"),
		exampletest.Flag("decay-at", "", "0", "-1", "1,,2", "x", huge, "9223372036854775807"),
		exampletest.Flag("decay-by", "0", "-1", "NaN", "Inf", "1e300", "x"),
		exampletest.Flag("warm-up", "-1", "x", huge, "9223372036854775807"),
		exampletest.Flag("seed", "-1", "x", huge),
		exampletest.Flag("dtype", "", "float16"),
		exampletest.Flag("out", ""),
		[]exampletest.BadInput{
			{Args: []string{"-opt"}, Code: cli.Usage, Says: []string{"-opt"}},
			{Args: []string{"-nosuch"}, Code: cli.Usage, Says: []string{"-nosuch"}},
			{Args: []string{"-augment=maybe"}, Code: cli.Usage, Says: []string{"-augment"}},
			{Args: []string{"-augment", "true"}, Code: cli.Usage, Says: []string{`"true"`}},
			{Args: []string{"word"}, Code: cli.Usage, Says: []string{`"word"`}},
			{Args: []string{"-batch", "61"}, Code: cli.Usage, Says: []string{"61 rows", "60"}},
			{Args: []string{"-settings", "null", "-weight-decay", "0.1"}, Code: cli.Usage, Says: []string{"-settings"}},
			{Args: []string{"-apo", "plain", "-opt", "precond-above"}, Code: cli.Usage, Says: []string{"-apo", "precond-above"}},
			{Args: []string{"-weight-decay", "0.1", "-opt", "precond"}, Code: cli.Usage, Says: []string{"-weight-decay", "precond"}},
		})
}

// TestMemory has batches that fit and batches that fit nowhere.
func TestMemory(t *testing.T) {
	for _, test := range []struct {
		model string
		batch int
		fits  bool
	}{{"lenet", 128, true}, {"lenet", 1001, true}, {"wrn-28-10", 90000, false}, {"vgg16", 1000, true}} {
		s := defaults()
		s.Model, s.Batch = test.model, test.batch
		err := s.check()
		if test.fits != (err == nil) {
			t.Errorf("%s on %d images: %v", test.model, test.batch, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "-batch 90000") || !strings.Contains(err.Error(), "of memory or more")) {
			t.Error(err)
		}
	}
	// LeNet's convolutions alone have 6×28×28 and 16×10×10 values for an image.
	model, err := defaults().model()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := valuesOf(model); err != nil || n < 6*28*28+16*10*10 || n > 100*1000 {
		t.Errorf("%v values, %v", n, err)
	}
}

// TestBadFlags has an earlier run in the folder, which must stay as it is.
func TestBadFlags(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	out := t.TempDir()
	for _, name := range []string{"settings.json", "checkpoint", "steps.csv", "best.safetensors", "result.json"} {
		write(t, filepath.Join(out, name), "of an earlier run")
	}
	exampletest.Refuse(t, program(out, sourceOf(data)...), out, badFlags())
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestBadFoldersAndEnvironment has results that cannot be written, and data that
// are not there.
func TestBadFoldersAndEnvironment(t *testing.T) {
	data, empty := t.TempDir(), t.TempDir()
	writeData(t, data)
	base := t.TempDir()
	file := filepath.Join(base, "file")
	write(t, file, "x")
	for _, out := range []string{file, filepath.Join(file, "below"), filepath.Join(base, "a\x00b")} {
		exampletest.Refuse(t, program(out, sourceOf(data)...), base, []exampletest.BadInput{{Args: small, Code: cli.Failed, Says: []string{base}}})
	}
	for _, dir := range []string{file, filepath.Join(base, "nowhere"), empty} {
		t.Setenv("APO_DATA", dir)
		p := program(filepath.Join(base, "out"), datasets.WithCacheDir(t.TempDir()), datasets.WithoutDownload())
		var all []exampletest.BadInput
		for set, title := range map[string]string{"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN"} {
			all = append(all, exampletest.BadInput{Args: []string{"-data", set}, Code: cli.Failed, Says: []string{title, "APO_DATA", dir}})
		}
		exampletest.Refuse(t, p, base, all)
	}
}

// TestBadRuns has runs whose files were damaged; -resume must refuse them and
// change nothing.
func TestBadRuns(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	good := t.TempDir()
	mustRun(t, data, with(small, "-epochs", "1", "-apo", "none", "-out", good)...)
	files := exampletest.Snapshot(t, good)
	settings, checkpoint := files[filepath.Join(good, "settings.json")], files[filepath.Join(good, "checkpoint")]
	for _, bad := range []struct{ name, content, says string }{
		{"settings.json", "", "settings.json"},
		{"settings.json", "{", "settings.json"},
		{"settings.json", "null", "settings.json: -batch 0"},
		{"settings.json", "{}", "settings.json: -batch 0"},
		{"settings.json", settings[:len(settings)/2], "settings.json"},
		{"settings.json", strings.Replace(settings, `"batch": 10`, `"batch": -5`, 1), "settings.json: -batch -5"},
		{"settings.json", strings.Replace(settings, `"lenet"`, `"nosuch"`, 1), "settings.json: -model"},
		{"settings.json", strings.Replace(settings, `"lenet"`, `"resnet8"`, 1), "checkpoint"},
		{"checkpoint", "", "checkpoint"},
		{"checkpoint", "x", "checkpoint"},
		{"checkpoint", checkpoint[:len(checkpoint)/2], "checkpoint"},
		{"checkpoint", checkpoint[:len(checkpoint)-1], "checkpoint"},
		{"checkpoint", "\xff\xff\xff\xff\xff\xff\xff\x7f" + checkpoint[8:], "checkpoint"},
	} {
		out := t.TempDir()
		for path, content := range files {
			if path != good {
				write(t, filepath.Join(out, filepath.Base(path)), content)
			}
		}
		write(t, filepath.Join(out, bad.name), bad.content)
		rows := []exampletest.BadInput{{Args: []string{"-resume", "-epochs", "2"}, Code: cli.Failed, Says: []string{bad.says}}}
		t.Run(bad.name, func(t *testing.T) { exampletest.Refuse(t, program(out, sourceOf(data)...), out, rows) })
	}
}
