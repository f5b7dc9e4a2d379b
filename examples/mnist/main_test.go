package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// small are flags for the tests' data: 6 steps an epoch.
var small = []string{"-hidden", "8", "-batch", "10", "-epochs", "3"}

// start runs the program on the tests' data and returns its exit code.
func start(t *testing.T, source []datasets.Option, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = cli.Exit(run(t.Context(), args, &out, &log, source...), &log)
	return code, out.String(), log.String()
}

func with(args []string, more ...string) []string {
	return append(append([]string{}, args...), more...)
}

func TestRun(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	for _, test := range []struct {
		name    string
		args    []string
		picture string
		rates   int
	}{
		{"sgdm", nil, "rate.png", 1},
		{"layers", []string{"-per-layer", "-optimizer", "adam", "-schedule", "cosine", "-warm-up", "3"}, "rate.png", 2},
		{"precond", []string{"-optimizer", "precond", "-meta", "rmsprop", "-dtype", "float64", "-k", "1"}, "precond.png", 0},
		{"from above", []string{"-optimizer", "precond-above", "-k", "5"}, "precond.png", 0},
		{"fashion", []string{"-data", "fashion", "-optimizer", "rmsprop", "-settings", `{"decay": 0.9}`, "-schedule", "step", "-activation", "tanh"}, "rate.png", 1},
		{"fixed", []string{"-k", "0", "-schedule", "inverse-sqrt", "-lr", "0.1"}, "rate.png", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "new", "folder")
			code, stdout, stderr := start(t, sourceOf(t, data), with(small, append(test.args, "-out", out)...)...)
			if code != cli.OK {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
			if !strings.HasPrefix(stdout, "BLAS: ") || strings.Count(stdout, "test loss") != 3 {
				t.Errorf("output:\n%s", stdout)
			}
			if rows := exampletest.Table(t, filepath.Join(out, runlog.EpochsCSV)); len(rows) != 1+3 {
				t.Errorf("epochs.csv: %v", rows)
			}
			if log, err := runlog.ReadSteps(out); err != nil || len(log) != 18 || len(log[17].Rates) != test.rates {
				t.Errorf("steps.jsonl has %d lines (%v)", len(log), err)
			}
			if rows := exampletest.Table(t, filepath.Join(out, runlog.StepsCSV)); len(rows) != 1+18 {
				t.Errorf("steps.csv has %d rows", len(rows))
			}
			if weights, err := trainers.ReadSafetensors(filepath.Join(out, "weights.safetensors")); err != nil || len(weights) != 2 {
				t.Errorf("%d weights, %v", len(weights), err)
			}
			exampletest.CheckPicture(t, filepath.Join(out, "loss.png"))
			exampletest.CheckPicture(t, filepath.Join(out, test.picture))
		})
	}
}

// TestDefaultRates has every optimizer start at the library's rate or at the one
// that was found better here; those from above choose their own, which is too
// large.
func TestDefaultRates(t *testing.T) {
	var help bytes.Buffer
	if _, _, err := parse([]string{"-h"}, &help); err == nil {
		t.Error("-h: no error")
	}
	for _, name := range trainers.OptimizerNames() {
		s, _, err := parse([]string{"-optimizer", name}, &bytes.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := s.optimizer()
		if err != nil {
			t.Fatal(err)
		}
		want, err := trainers.DefaultRate(name)
		if own, ok := ownRates[name]; ok {
			want = own
		}
		if err != nil || o.LearningRate() != want {
			t.Errorf("%s starts at %v, want %v (%v)", name, o.LearningRate(), want, err)
		}
		text := fmt.Sprintf("%s %v", name, want)
		if want == 0 {
			text = name + " 1/λ_WSD"
		}
		if !strings.Contains(help.String(), text) {
			t.Errorf("-h does not say %q", text)
		}
	}
}

func TestUsage(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	for _, test := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"-h"}, cli.OK, nil},
		{[]string{"-optimizer", "nosuch"}, cli.Usage, append(trainers.OptimizerNames(), "nosuch")},
		{[]string{"-nosuchflag"}, cli.Usage, []string{"nosuchflag"}},
		{[]string{"word"}, cli.Usage, []string{"word"}},
		{[]string{"-data", "cifar"}, cli.Usage, []string{"cifar", "fashion"}},
		{[]string{"-hidden", "10,x"}, cli.Usage, []string{"hidden", `"x"`}},
		{[]string{"-activation", "gelu"}, cli.Usage, []string{"gelu", "tanh"}},
		{[]string{"-dtype", "float16"}, cli.Usage, []string{"float16"}},
		{[]string{"-schedule", "zigzag"}, cli.Usage, []string{"zigzag"}},
		{[]string{"-meta", "lion"}, cli.Usage, []string{"lion"}},
		{[]string{"-meta-lr", "-1"}, cli.Usage, []string{"-1"}},
		{[]string{"-lr", "-1"}, cli.Usage, []string{"-1"}},
		{[]string{"-settings", `{"nosuch": 1}`}, cli.Usage, []string{"nosuch"}},
		{[]string{"-settings", `{`}, cli.Usage, []string{"settings"}},
		{[]string{"-batch", "10", "-k", "-1"}, cli.Usage, []string{"-1"}},
		{[]string{"-batch", "10", "-fsd", "-1"}, cli.Usage, []string{"-1"}},
		{[]string{"-batch", "61"}, cli.Usage, []string{"61"}},
		{[]string{"-epochs", "0"}, cli.Usage, []string{"epochs"}},
		{[]string{"-warm-up", "-2"}, cli.Usage, []string{"warm-up"}},
		{[]string{"-resume"}, cli.Failed, []string{"nothing to resume", "settings.json"}},
	} {
		out := filepath.Join(t.TempDir(), "out")
		code, stdout, stderr := start(t, sourceOf(t, data), with(test.args, "-out", out)...)
		if code != test.code {
			t.Errorf("%q: exit code %d, want %d\n%s", test.args, code, test.code, stderr)
		}
		for _, text := range test.says {
			if !strings.Contains(stderr, text) {
				t.Errorf("%q: the message does not say %q: %s", test.args, text, stderr)
			}
		}
		if test.code == cli.OK && !strings.Contains(stdout, "-meta-lr") {
			t.Errorf("-h printed\n%s", stdout)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: left the folder behind", test.args)
		}
	}
}

func TestDamagedData(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	name := "train-images-idx3-ubyte"
	if err := os.Truncate(filepath.Join(data, name), 1000); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := start(t, sourceOf(t, data), "-out", t.TempDir())
	if code != cli.Failed || !strings.Contains(stderr, name) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	code, _, stderr = start(t, sourceOf(t, t.TempDir()), "-out", t.TempDir())
	if code != cli.Failed || !strings.Contains(stderr, name) {
		t.Errorf("no data: exit code %d: %s", code, stderr)
	}
}
