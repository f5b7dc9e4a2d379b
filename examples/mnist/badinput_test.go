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

// program is mnist on the data in a folder, with results in out.
func program(out string, source ...datasets.Option) exampletest.Program {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		return cli.Exit(run(ctx, with([]string{"-out", out}, args...), stdout, stderr, source...), stderr)
	}
}

// badFlags are values that mnist is to refuse.
func badFlags() []exampletest.BadInput {
	const huge = "99999999999999999999"
	all := slices.Concat(
		exampletest.Flag("data", "", "cifar"),
		exampletest.Flag("hidden", "", "0", "-1", "1,,2", "x", "1e3", "1000000000000", "9223372036854775807", huge,
			"1000000,1000000", "3000000000", strings.Repeat("1,", 100)+"1"),
		exampletest.Flag("activation", "", "gelu"),
		exampletest.Flag("optimizer", "", "nosuch"),
		exampletest.Flag("settings", "{", "null", "[]", `"x"`, `{"nosuch": 1}`, `{"momentum": 2}`, `{"momentum": 1e999}`,
			`{"momentum": "x"}`, `{"momentum": NaN}`, "{} {}", "x"),
		exampletest.Flag("lr", "0", "-1", "NaN", "Inf", "-Inf", "1e300", "1e999", "x", ""),
		exampletest.Flag("k", "-1", "x", "1.5", huge, "9223372036854775807"),
		exampletest.Flag("fsd", "-1", "NaN", "Inf", "1e300", "x"),
		exampletest.Flag("wsd", "-1", "NaN", "Inf", "1e300", "x"),
		exampletest.Flag("meta", "lion"),
		exampletest.Flag("meta-lr", "0", "-1", "NaN", "Inf", "1e300"),
		exampletest.Flag("batch", "0", "-1", "x", huge, "1000000000000"),
		exampletest.Flag("epochs", "0", "-1", "x", huge, "9223372036854775807"),
		exampletest.Flag("seed", "-1", "x", huge),
		exampletest.Flag("dtype", "", "float16"),
		exampletest.Flag("schedule", "", "zigzag"),
		exampletest.Flag("warm-up", "-1", "x", huge, "9223372036854775807"),
		exampletest.Flag("out", ""),
	)
	return append(all,
		exampletest.BadInput{Args: []string{"-lr"}, Code: cli.Usage, Says: []string{"-lr"}},
		exampletest.BadInput{Args: []string{"-nosuch"}, Code: cli.Usage, Says: []string{"-nosuch"}},
		exampletest.BadInput{Args: []string{"word"}, Code: cli.Usage, Says: []string{`"word"`}},
		exampletest.BadInput{Args: []string{"-k", "1", "word", "-lr", "1"}, Code: cli.Usage, Says: []string{`"word"`}},
		exampletest.BadInput{Args: []string{"-batch", "61"}, Code: cli.Usage, Says: []string{"61 rows", "60"}},
		exampletest.BadInput{Args: []string{"-hidden", "1000000000000"}, Code: cli.Usage, Says: []string{"7.95e+14 parameters", "PB"}},
		exampletest.BadInput{Args: []string{"-per-layer", "-optimizer", "precond"}, Code: cli.Usage, Says: []string{"-per-layer", "precond"}},
		exampletest.BadInput{Args: []string{"-meta", "adam", "-optimizer", "precond-above"}, Code: cli.Usage, Says: []string{"-meta", "precond-above"}},
		exampletest.BadInput{Args: []string{"-meta-lr", "0.1", "-optimizer", "precond-trust"}, Code: cli.Usage, Says: []string{"-meta-lr", "precond-trust"}},
	)
}

// TestBadFlags has an earlier run in the folder, which must stay as it is.
func TestBadFlags(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	out := t.TempDir()
	for _, name := range []string{"settings.json", "checkpoint", "steps.csv", "loss.png"} {
		write(t, filepath.Join(out, name), "of an earlier run")
	}
	exampletest.Refuse(t, program(out, sourceOf(t, data)...), out, badFlags())
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestBadFolders has results that cannot be written.
func TestBadFolders(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	base := t.TempDir()
	file := filepath.Join(base, "file")
	write(t, file, "x")
	for _, out := range []string{file, filepath.Join(file, "below"), filepath.Join(base, "a\x00b"), filepath.Join(base, strings.Repeat("long", 100))} {
		rows := []exampletest.BadInput{{Args: small, Code: cli.Failed, Says: []string{base}}}
		exampletest.Refuse(t, program(out, sourceOf(t, data)...), base, rows)
	}
}

// TestBadEnvironment has a data folder that is none or empty.
func TestBadEnvironment(t *testing.T) {
	base := t.TempDir()
	file, empty := filepath.Join(base, "file"), t.TempDir()
	write(t, file, "x")
	for _, dir := range []string{file, filepath.Join(base, "nowhere"), empty} {
		t.Setenv("APO_DATA", dir)
		says := []string{"MNIST", "APO_DATA", dir}
		p := program(filepath.Join(base, "out"), datasets.WithCacheDir(t.TempDir()), datasets.WithoutDownload())
		exampletest.Refuse(t, p, base, []exampletest.BadInput{{Args: small, Code: cli.Failed, Says: says}})
	}
}

// TestBadRuns has runs whose files were damaged; -resume must refuse them and
// change nothing.
func TestBadRuns(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	source := sourceOf(t, data)
	good := t.TempDir()
	mustRun(t, source, with(small, "-epochs", "1", "-out", good)...)
	content := func(name string) string {
		text, err := os.ReadFile(filepath.Join(good, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	settings, checkpoint := content("settings.json"), content("checkpoint")
	replaced := func(old, new string) string {
		if !strings.Contains(settings, old) {
			t.Fatalf("settings.json has no %s", old)
		}
		return strings.Replace(settings, old, new, 1)
	}
	for _, bad := range []struct {
		name, content string
		code          int
		says          string
	}{
		{"settings.json", "", cli.Failed, "settings.json"},
		{"settings.json", "{", cli.Failed, "settings.json"},
		{"settings.json", "[]", cli.Failed, "settings.json"},
		{"settings.json", "x", cli.Failed, "settings.json"},
		{"settings.json", settings[:len(settings)/2], cli.Failed, "settings.json"},
		{"settings.json", settings + "}", cli.Failed, "settings.json"},
		{"settings.json", replaced(`"batch": 10`, `"batch": "10"`), cli.Failed, "settings.json"},
		{"settings.json", "null", cli.Failed, "settings.json: -dtype"},
		{"settings.json", "{}", cli.Failed, "settings.json: -dtype"},
		{"settings.json", replaced(`"batch": 10`, `"batch": -5`), cli.Failed, "settings.json: -batch -5"},
		{"settings.json", replaced(`"relu"`, `"tanh"`), cli.Failed, "checkpoint"},
		{"settings.json", replaced("8\n", "9\n"), cli.Failed, "checkpoint"},
		{"settings.json", replaced("8\n", "-8\n"), cli.Failed, "settings.json: -hidden"},
		{"settings.json", replaced("8\n", "1000000000000\n"), cli.Failed, "settings.json: -hidden"},
		{"settings.json", replaced(`"sgdm"`, `"adam"`), cli.Failed, "checkpoint"},
		{"checkpoint", "", cli.Failed, "checkpoint"},
		{"checkpoint", "x", cli.Failed, "checkpoint"},
		{"checkpoint", checkpoint[:len(checkpoint)/2], cli.Failed, "checkpoint"},
		{"checkpoint", checkpoint[:len(checkpoint)-1], cli.Failed, "checkpoint"},
		{"checkpoint", checkpoint[:7], cli.Failed, "checkpoint"},
		{"checkpoint", "\xff\xff\xff\xff\xff\xff\xff\x7f" + checkpoint[8:], cli.Failed, "checkpoint"},
	} {
		out := t.TempDir()
		for _, name := range []string{"settings.json", "checkpoint", "steps.jsonl", "steps.csv", "epochs.csv"} {
			write(t, filepath.Join(out, name), content(name))
		}
		write(t, filepath.Join(out, bad.name), bad.content)
		row := exampletest.BadInput{Args: []string{"-resume", "-epochs", "2"}, Code: bad.code, Says: []string{bad.says}}
		t.Run(bad.name, func(t *testing.T) {
			exampletest.Refuse(t, program(out, source...), out, []exampletest.BadInput{row})
		})
	}
}
