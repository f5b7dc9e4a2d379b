package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// small are flags for the tests' data: 6 steps an epoch.
var small = []string{"-batch", "10", "-epochs", "3"}

// start runs the program on the data in a folder and returns its exit code.
func start(t *testing.T, data string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = cli.Exit(run(t.Context(), args, &out, &log, sourceOf(data)...), &log)
	return code, out.String(), log.String()
}

func with(args []string, more ...string) []string { return slices.Concat(args, more) }

func TestRun(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	for _, test := range []struct {
		name    string
		args    []string
		picture string
		rates   int
		steps   int
	}{
		{"default", nil, "rate.png", 1, 6},
		{"plain", []string{"-opt", "adam", "-apo", "plain", "-augment", "-schedule", "cosine", "-warm-up", "3", "-k", "2", "-fsd", "0.1", "-wsd", "0.1"}, "rate.png", 1, 6},
		{"fixed", []string{"-opt", "sgd", "-apo", "none", "-lr", "0.02", "-schedule", "step", "-decay-at", "1,2", "-decay-by", "0.2", "-weight-decay", "0.001"}, "rate.png", 1, 6},
		{"kfac", []string{"-opt", "kfac", "-limit", "40", "-settings", `{"damping": 0.01}`}, "rate.png", 1, 4},
		{"precond", []string{"-opt", "precond", "-dtype", "float64", "-k", "1"}, "precond.png", 0, 6},
		{"cifar100", []string{"-data", "cifar100", "-opt", "rmsprop"}, "rate.png", 1, 6},
		{"batch norm", []string{"-model", "resnet8", "-batch", "4", "-limit", "8", "-augment", "-apo", "plain", "-k", "2"}, "rate.png", 1, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "new", "folder")
			code, stdout, stderr := start(t, data, with(small, append(test.args, "-out", out)...)...)
			if code != cli.OK {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
			if !strings.HasPrefix(stdout, "BLAS: ") || strings.Count(stdout, "test loss") != 3 || !strings.Contains(stdout, "best test accuracy") {
				t.Errorf("output:\n%s", stdout)
			}
			checkResult(t, out)
			if log, err := runlog.ReadSteps(out); err != nil || len(log) != 3*test.steps || len(log[0].Rates) != test.rates {
				t.Errorf("steps.jsonl has %d lines (%v)", len(log), err)
			}
			last, err := trainers.ReadSafetensors(filepath.Join(out, "weights.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			if best, err := trainers.ReadSafetensors(filepath.Join(out, "best.safetensors")); err != nil || len(best) != len(last) {
				t.Errorf("%d weights of the best epoch, %d of the last, %v", len(best), len(last), err)
			}
			for _, picture := range []string{"loss.png", "accuracy.png", test.picture} {
				exampletest.CheckPicture(t, filepath.Join(out, picture))
			}
		})
	}
}

// TestDefaultRates has every optimizer start at the library's rate or at the one
// that was found better here.
func TestDefaultRates(t *testing.T) {
	var help bytes.Buffer
	if _, _, err := parse([]string{"-h"}, &help); err == nil {
		t.Error("-h: no error")
	}
	for _, name := range trainers.OptimizerNames() {
		s, _, err := parse([]string{"-opt", name}, &bytes.Buffer{})
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
		if !strings.Contains(help.String(), name+" ") {
			t.Errorf("-h does not name %s", name)
		}
	}
}

// checkResult compares result.json with the lines of epochs.csv.
func checkResult(t *testing.T, out string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	rows := exampletest.Table(t, filepath.Join(out, runlog.EpochsCSV))
	if len(rows) != 1+3 {
		t.Fatalf("epochs.csv: %v", rows)
	}
	best, at := -1.0, 0
	for i, row := range rows[1:] {
		accuracy, err := strconv.ParseFloat(row[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		if accuracy > best {
			best, at = accuracy, i+1
		}
		if row[4] != strconv.Itoa(at) {
			t.Errorf("epoch %d: the best epoch is %s, want %d", i+1, row[4], at)
		}
	}
	if r.BestEpoch != at || r.BestAccuracy != best || r.Epochs != 3 || strconv.FormatFloat(r.FinalAccuracy, 'g', -1, 64) != rows[3][3] {
		t.Errorf("result %+v of %v", r, rows)
	}
}

// TestModels takes a step with each model.
func TestModels(t *testing.T) {
	if testing.Short() {
		t.Skip("the larger models take seconds")
	}
	data := t.TempDir()
	writeData(t, data)
	for _, name := range layers.ImageModels() {
		if slices.Contains([]string{"wrn-28-10", "resnet18", "resnet34", "vgg16", "resnet32-wide"}, name) { // they take most of the time, and nothing else
			continue
		}
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := start(t, data, "-model", name, "-limit", "8", "-batch", "4", "-epochs", "1", "-apo", "none", "-out", t.TempDir())
			if code != cli.OK {
				t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
			}
		})
	}
}

func TestLearns(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	out := t.TempDir()
	if code, _, stderr := start(t, data, "-batch", "20", "-epochs", "30", "-out", out); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	history, err := readHistory(out)
	if err != nil {
		t.Fatal(err)
	}
	if got := history[bestEpoch(history)-1].accuracy; got < 0.9 {
		t.Errorf("accuracy %v on bright rows", got)
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
		{[]string{"-opt", "nosuch"}, cli.Usage, append(trainers.OptimizerNames(), "nosuch")},
		{[]string{"-model", "nosuch"}, cli.Usage, append(layers.ImageModels(), "nosuch")},
		{[]string{"-nosuchflag"}, cli.Usage, []string{"nosuchflag"}},
		{[]string{"word"}, cli.Usage, []string{"word"}},
		{[]string{"-data", "mnist"}, cli.Usage, []string{"mnist", "cifar100", "svhn"}},
		{[]string{"-dtype", "float16"}, cli.Usage, []string{"float16"}},
		{[]string{"-schedule", "zigzag"}, cli.Usage, []string{"zigzag"}},
		{[]string{"-schedule", "step", "-decay-by", "-1"}, cli.Usage, []string{"-1"}},
		{[]string{"-decay-at", "3,x"}, cli.Usage, []string{"decay-at", `"x"`}},
		{[]string{"-apo", "magic"}, cli.Usage, []string{"magic", "calibrated"}},
		{[]string{"-opt", "precond", "-apo", "plain"}, cli.Usage, []string{"precond", "plain"}},
		{[]string{"-opt", "precond", "-weight-decay", "0.1"}, cli.Usage, []string{"precond", "weight-decay"}},
		{[]string{"-weight-decay", "-1"}, cli.Usage, []string{"weight-decay", "-1"}},
		{[]string{"-lr", "-1"}, cli.Usage, []string{"-1"}},
		{[]string{"-settings", `{"nosuch": 1}`}, cli.Usage, []string{"nosuch"}},
		{[]string{"-settings", `{`}, cli.Usage, []string{"settings"}},
		{[]string{"-batch", "10", "-k", "-1"}, cli.Usage, []string{"-1"}},
		{[]string{"-batch", "10", "-fsd", "-1"}, cli.Usage, []string{"-1"}},
		{[]string{"-batch", "61"}, cli.Usage, []string{"61"}},
		{[]string{"-batch", "10", "-limit", "9"}, cli.Usage, []string{"9"}},
		{[]string{"-limit", "-1"}, cli.Usage, []string{"limit"}},
		{[]string{"-epochs", "0"}, cli.Usage, []string{"epochs"}},
		{[]string{"-warm-up", "-2"}, cli.Usage, []string{"warm-up"}},
		{[]string{"-resume"}, cli.Failed, []string{"nothing to resume", "settings.json"}},
	} {
		out := filepath.Join(t.TempDir(), "out")
		code, stdout, stderr := start(t, data, with(test.args, "-out", out)...)
		if code != test.code {
			t.Errorf("%q: exit code %d, want %d\n%s", test.args, code, test.code, stderr)
		}
		for _, text := range test.says {
			if !strings.Contains(stderr, text) {
				t.Errorf("%q: the message does not say %q: %s", test.args, text, stderr)
			}
		}
		if test.code == cli.OK && !strings.Contains(stdout, "-weight-decay") {
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
	name := "data_batch_4.bin"
	if err := os.Truncate(filepath.Join(data, name), 1000); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := start(t, data, "-out", t.TempDir())
	if code != cli.Failed || !strings.Contains(stderr, name) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	code, _, stderr = start(t, t.TempDir(), "-data", "svhn", "-out", t.TempDir())
	if code != cli.Failed || !strings.Contains(stderr, "train_32x32.mat") {
		t.Errorf("no data: exit code %d: %s", code, stderr)
	}
}
