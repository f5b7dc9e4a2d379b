package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// The tests translate a language of their own, word by word.
var german = []string{"hund", "katze", "mann", "frau", "rot", "blau", "läuft", "sitzt"}
var english = []string{"dog", "cat", "man", "woman", "red", "blue", "runs", "sits"}

// writePair writes n pairs of sentences.
func writePair(t *testing.T, rng *rand.Rand, stem string, n int) {
	t.Helper()
	var de, en strings.Builder
	for range n {
		for range 1 + rng.IntN(4) {
			i := rng.IntN(len(german))
			fmt.Fprint(&de, german[i], " ")
			fmt.Fprint(&en, english[i], " ")
		}
		fmt.Fprintln(&de, ".")
		fmt.Fprintln(&en, ".")
	}
	for suffix, b := range map[string]*strings.Builder{".de": &de, ".en": &en} {
		if err := os.WriteFile(stem+suffix, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// writeData writes files as those of Multi30k.
func writeData(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	for i, name := range []string{"train", "val", "test_2016_flickr", "test_2017_flickr"} {
		writePair(t, rng, filepath.Join(dir, name), []int{400, 20, 20, 20}[i])
	}
	return dir
}

// small are flags for a net that takes no time.
var small = []string{"-merges", "30", "-layers", "1", "-width", "16", "-heads", "2", "-hidden", "64", "-dropout", "0.05", "-tokens", "256", "-warm-up", "10", "-lr", "0.01", "-epochs", "3"}

// start runs the program on the data of a folder.
func start(t *testing.T, data, stdin string, stop *exampletest.Canceller, args ...string) (code int, stdout, messages string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, log bytes.Buffer
	w := io.Writer(&log)
	if stop != nil {
		stop.Cancel = cancel
		w = io.MultiWriter(&log, stop)
	}
	err := run(ctx, args, strings.NewReader(stdin), &out, w, sourceOf(data)...)
	return cli.Exit(err, w), out.String(), log.String()
}

func with(args []string, more ...string) []string { return exampletest.With(args, more...) }

// TestLearns: a run ends with translations that are right, its files and pictures.
func TestLearns(t *testing.T) {
	data, out := writeData(t), t.TempDir()
	code, stdout, stderr := start(t, data, "", nil, with(small, "-width", "32", "-epochs", "40", "-warm-up", "60", "-lr", "0.01", "-smoothing", "0", "-dropout", "0", "-out", out)...)
	if code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	rows := exampletest.Table(t, filepath.Join(out, "epochs.csv"))
	if len(rows) != 41 || strings.Join(rows[0], ",") != "epoch,step,valid_loss,perplexity,bleu" {
		t.Fatalf("epochs.csv: %v", rows)
	}
	content, err := os.ReadFile(filepath.Join(out, resultFile))
	if err != nil {
		t.Fatal(err)
	}
	var r result
	if err := json.Unmarshal(content, &r); err != nil || r.TestBLEU < 60 || r.Epochs != 40 || rows[r.BestEpoch][4] != fmt.Sprint(r.ValidBLEU) {
		t.Errorf("result %+v (%v)\n%s", r, err, stdout)
	}
	for _, name := range []string{"loss.png", "bleu.png", "attention.png"} {
		exampletest.CheckPicture(t, filepath.Join(out, name))
	}
	code, stdout, stderr = start(t, data, "Hund läuft.\n\nFrau sitzt rot .\n", nil, "-translate", "-out", out)
	if want := "dog runs.\n\nwoman sits red.\n"; code != cli.OK || stdout != want {
		t.Errorf("exit code %d, translations %q, want %q\n%s", code, stdout, want, stderr)
	}
	for stdin, says := range map[string]string{
		"Hund\n\xff\n": "line 2: it is not UTF-8",
		"Hund\n" + strings.Repeat("Hund ", 2000) + "\n": "line 2",
	} {
		if code, _, stderr := start(t, data, stdin, nil, "-translate", "-out", out); code != cli.Failed || !strings.Contains(stderr, says) {
			t.Errorf("exit code %d, %s, want %q", code, stderr, says)
		}
	}
}

// TestResume: a run that is stopped in the middle of an epoch and goes on leaves what one
// never stopped does, bit for bit.
func TestResume(t *testing.T) {
	data := writeData(t)
	for name, args := range map[string][]string{
		"adamw":    {"-log", "tensorboard,mlflow"},
		"bfloat16": {"-precision", "bfloat16"},
		"apo":      {"-optimizer", "sgdm", "-apo", "plain", "-k", "2", "-lr", "0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			whole, parts := t.TempDir(), t.TempDir()
			if code, _, stderr := start(t, data, "", nil, with(small, with(args, "-out", whole)...)...); code != cli.OK {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
			code, stdout, _ := start(t, data, "", &exampletest.Canceller{Text: "epoch 2: 3"}, with(small, with(args, "-out", parts)...)...)
			if code != cli.Interrupted || !strings.Contains(stdout, "-resume") {
				t.Fatalf("exit code %d\n%s", code, stdout)
			}
			if code, _, stderr := start(t, data, "", nil, "-resume", "-out", parts); code != cli.OK {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
			equalRuns(t, whole, parts)
			if name == "adamw" {
				furtherLogs(t, parts)
			}
			if code, _, stderr := start(t, data, "", nil, "-resume", "-width", "32", "-out", parts); code != cli.Usage || !strings.Contains(stderr, "width") {
				t.Errorf("another width: exit code %d, %s", code, stderr)
			}
		})
	}
}

// furtherLogs are those of -log, of a run that was stopped once.
func furtherLogs(t *testing.T, out string) {
	t.Helper()
	for pattern, want := range map[string]int{
		"events.out.tfevents.*": 2, "mlruns/*/*/metrics/bleu": 1, "mlruns/*/*/artifacts/curves/attention.png": 1,
	} {
		if paths, err := filepath.Glob(filepath.Join(out, filepath.FromSlash(pattern))); err != nil || len(paths) != want {
			t.Errorf("%s: %q, %v", pattern, paths, err)
		}
	}
}

// equalRuns compares what two runs have left. The description of a checkpoint has the shapes
// of the batch that a process began with, so only its tensors must be equal.
func equalRuns(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{"weights.safetensors", "best.safetensors", "result.json", "epochs.csv", "codes", "vocabulary"} {
		x, errX := os.ReadFile(filepath.Join(a, name))
		y, errY := os.ReadFile(filepath.Join(b, name))
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs (%v, %v)", name, errX, errY)
		}
	}
	x, errX := checkpoint.Read(filepath.Join(a, "checkpoint"))
	y, errY := checkpoint.Read(filepath.Join(b, "checkpoint"))
	if errX != nil || errY != nil || len(x.Tensors) != len(y.Tensors) {
		t.Fatalf("checkpoints: %v, %v", errX, errY)
	}
	for i, v := range x.Tensors {
		if w := y.Tensors[i]; v.Name != w.Name || !slices.Equal(v.Value.Float32s(), w.Value.Float32s()) {
			t.Errorf("%s of the checkpoints differs", v.Name)
		}
	}
	steps := func(dir string) []string { return exampletest.Untimed(t, filepath.Join(dir, "steps.csv")) }
	if !slices.Equal(steps(a), steps(b)) {
		t.Error("steps.csv differs")
	}
}

// TestOptimizers takes a few steps by others, on files of one's own.
func TestOptimizers(t *testing.T) {
	data := writeData(t)
	files := []string{"-data", "files", "-source", filepath.Join(data, "train.de"), "-target", filepath.Join(data, "train.en"), "-epochs", "1", "-limit", "40"}
	for _, name := range []string{"precond", "shampoo"} {
		code, stdout, stderr := start(t, data, "", nil, with(small, with(files, "-optimizer", name, "-lr", "0.01", "-out", t.TempDir())...)...)
		if code != cli.OK || !strings.Contains(stdout, "BLEU") {
			t.Errorf("%s: exit code %d\n%s%s", name, code, stdout, stderr)
		}
	}
}

// TestDryRun: the program says what a run will take, a new one or one that goes on, and writes
// nothing.
func TestDryRun(t *testing.T) {
	data, out := writeData(t), filepath.Join(t.TempDir(), "run")
	for name, args := range map[string][]string{"no meta-steps": nil, "meta-steps": {"-optimizer", "sgdm", "-apo", "plain", "-k", "2", "-lr", "0.1"}} {
		code, stdout, stderr := start(t, data, "", nil, with(small, with(args, "-dry-run", "-out", out)...)...)
		if code != cli.OK || stderr != "" {
			t.Fatalf("%s: exit code %d\n%s", name, code, stderr)
		}
		for what, want := range map[string]bool{" parameters in ": true, "a step: ": true, " steps of 3 epochs: about ": true, "a meta-step: ": args != nil} {
			if strings.Contains(stdout, what) != want {
				t.Errorf("%s: %q is there: %v\n%s", name, what, !want, stdout)
			}
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: it has made the folder of the results", name)
		}
	}
	if code, _, stderr := start(t, data, "", nil, with(small, "-epochs", "1", "-out", out)...); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	before := map[string]string{}
	for i := range 2 {
		entries, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(out, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 && before[e.Name()] != string(text) {
				t.Errorf("%s has changed", e.Name())
			}
			before[e.Name()] = string(text)
		}
		if i == 0 {
			if code, stdout, stderr := start(t, data, "", nil, "-resume", "-epochs", "5", "-dry-run", "-out", out); code != cli.OK || !strings.Contains(stdout, "of 5 epochs: about ") {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
		}
	}
}

func TestBadInput(t *testing.T) {
	data := writeData(t)
	short := filepath.Join(data, "short.en")
	if err := os.WriteFile(short, []byte("a\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		code int
		says string
		args []string
	}{
		{cli.OK, "", []string{"-h"}},
		{cli.Usage, "-data", []string{"-data", "nosuch"}},
		{cli.Usage, "-precision: it must be float32, bfloat16 or float16", []string{"-precision", "float8"}},
		{cli.Usage, "-source", []string{"-data", "files"}},
		{cli.Usage, "-source", []string{"-source", "x", "-target", "y"}},
		{cli.Usage, "-optimizer", []string{"-optimizer", "nosuch"}},
		{cli.Usage, "-apo", []string{"-apo", "magic"}},
		{cli.Usage, "-schedule", []string{"-schedule", "nosuch"}},
		{cli.Usage, "-log", []string{"-log", "nosuch"}},
		{cli.Usage, "-heads", []string{"-heads", "3"}},
		{cli.Usage, "-dropout", []string{"-dropout", "NaN"}},
		{cli.Usage, "-tokens", []string{"-tokens", "0"}},
		{cli.Usage, "-beam", []string{"-beam", "0"}},
		{cli.Usage, "exclude", []string{"-resume", "-translate"}},
		{cli.Usage, "exclude", []string{"-dry-run", "-translate"}},
		{cli.Failed, "settings.json", []string{"-resume"}},
		{cli.Failed, "settings.json", []string{"-translate"}},
		{cli.Failed, "short.en", []string{"-data", "files", "-source", filepath.Join(data, "train.de"), "-target", short}},
	} {
		code, _, stderr := start(t, data, "", nil, with(test.args, "-out", filepath.Join(t.TempDir(), "new"))...)
		if code != test.code || !strings.Contains(stderr, test.says) {
			t.Errorf("%v: exit code %d, %s", test.args, code, stderr)
		}
	}
}
