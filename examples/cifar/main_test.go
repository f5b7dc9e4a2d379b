package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/app"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/layers"
)

var suite = &exampletest.Suite{
	App:        cifar,
	WriteData:  writeData,
	Damaged:    "data_batch_4.bin",
	Small:      []string{"-batch", "10", "-epochs", "3"},
	Extendable: []string{"-apo", "plain"},
	Runs: map[string]exampletest.Run{
		"default":    {Args: nil, Picture: "rate.png", Rates: 1, Steps: 6},
		"plain":      {Args: []string{"-opt", "adam", "-apo", "plain", "-augment", "-schedule", "cosine", "-warm-up", "3", "-k", "2", "-fsd", "0.1", "-wsd", "0.1"}, Picture: "rate.png", Rates: 1, Steps: 6},
		"fixed":      {Args: []string{"-opt", "sgd", "-apo", "none", "-lr", "0.02", "-schedule", "step", "-decay-at", "1,2", "-decay-by", "0.2", "-weight-decay", "0.001"}, Picture: "rate.png", Rates: 1, Steps: 6},
		"kfac":       {Args: []string{"-opt", "kfac", "-limit", "40", "-settings", `{"damping": 0.01}`}, Picture: "rate.png", Rates: 1, Steps: 4},
		"groups":     {Args: []string{"-group", "conv*:rate=0.1", "-k", "2"}, Picture: "rate.png", Rates: 2, Steps: 6},
		"frozen":     {Args: []string{"-group", "conv*:frozen", "-apo", "none"}, Picture: "rate.png", Rates: 1, Steps: 6},
		"float16":    {Args: []string{"-precision", "float16"}, Picture: "rate.png", Rates: 1, Steps: 6},
		"low rank":   {Args: []string{"-opt", "precond", "-k", "5"}, Picture: "precond.png", Steps: 6},
		"precond":    {Args: []string{"-opt", "precond-plain", "-dtype", "float64", "-k", "1"}, Picture: "precond.png", Steps: 6},
		"cifar100":   {Args: []string{"-data", "cifar100", "-opt", "rmsprop"}, Picture: "rate.png", Rates: 1, Steps: 6},
		"batch norm": {Args: []string{"-model", "resnet8", "-batch", "4", "-limit", "8", "-augment", "-apo", "plain", "-k", "2"}, Picture: "rate.png", Rates: 1, Steps: 2},
	},
	Resumed: map[string][]string{
		"calibrated": {"-augment", "-k", "4"},
		"plain":      {"-augment", "-opt", "adam", "-apo", "plain", "-k", "2", "-schedule", "cosine"},
		"kfac":       {"-opt", "kfac"},
		"batch norm": {"-augment", "-model", "resnet8", "-k", "4", "-batch", "4", "-limit", "24"},
	},
	Bad: slices.Concat(
		exampletest.Flag("model", "", "nosuch", "LENET"),
		exampletest.Flag("limit", "-1", "x", exampletest.Huge, "1000000000000"),
		exampletest.Flag("weight-decay", "-1", "NaN", "Inf", "1e300", "x"),
		exampletest.Flag("apo", "magic"),
		exampletest.Flag("decay-at", "", "0", "-1", "1,,2", "x", exampletest.Huge, "9223372036854775807"),
		exampletest.Flag("decay-by", "0", "-1", "NaN", "Inf", "1e300", "x"),
		[]exampletest.BadInput{
			{Args: []string{"-model", "nosuch"}, Code: cli.Usage, Says: append(layers.ImageModels(), "nosuch")},
			{Args: []string{"-opt"}, Code: cli.Usage, Says: []string{"-opt"}},
			{Args: []string{"-augment=maybe"}, Code: cli.Usage, Says: []string{"-augment"}},
			{Args: []string{"-augment", "true"}, Code: cli.Usage, Says: []string{`"true"`}},
			{Args: []string{"-decay-at", "3,x"}, Code: cli.Usage, Says: []string{"decay-at", `"x"`}},
			{Args: []string{"-schedule", "step", "-decay-by", "-1"}, Code: cli.Usage, Says: []string{"-1"}},
			{Args: []string{"-batch", "10", "-limit", "9"}, Code: cli.Usage, Says: []string{"9"}},
			{Args: []string{"-settings", "null", "-weight-decay", "0.1"}, Code: cli.Usage, Says: []string{"-settings"}},
			{Args: []string{"-apo", "magic"}, Code: cli.Usage, Says: []string{"magic", "calibrated"}},
			{Args: []string{"-apo", "plain", "-opt", "precond-above"}, Code: cli.Usage, Says: []string{"-apo", "plain", "precond-above"}},
			{Args: []string{"-weight-decay", "0.1", "-opt", "precond-plain"}, Code: cli.Usage, Says: []string{"-weight-decay", "precond"}},
		}),
	Help: "-weight-decay",
	DamagedSettings: [][3]string{
		{`"lenet"`, `"nosuch"`, "settings.json: -model"},
		{`"lenet"`, `"resnet8"`, "checkpoint"},
	},
	Fixed: [][]string{{"-augment"}, {"-limit", "30"}},
}

func TestMain(m *testing.M) { suite.Main(m) }

func TestProgram(t *testing.T) { suite.Test(t) }

// checkResult compares result.json with the lines of epochs.csv.
func checkResult(t *testing.T, out string, epochs int) app.Result {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r app.Result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	rows := exampletest.Table(t, filepath.Join(out, runlog.EpochsCSV))
	if len(rows) != 1+epochs {
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
	if r.BestEpoch != at || r.BestAccuracy != best || r.Epochs != epochs || strconv.FormatFloat(r.FinalAccuracy, 'g', -1, 64) != rows[epochs][3] {
		t.Errorf("result %+v of %v", r, rows)
	}
	return r
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
			code, stdout, stderr := suite.Start(t, data, "-model", name, "-limit", "8", "-batch", "4", "-epochs", "1", "-apo", "none", "-out", t.TempDir())
			if code != cli.OK {
				t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
			}
		})
	}
}

// TestLearns tells bright rows apart. result.json and epochs.csv agree.
func TestLearns(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	out := t.TempDir()
	suite.MustRun(t, data, "-batch", "20", "-epochs", "30", "-out", out)
	if r := checkResult(t, out, 30); r.BestAccuracy < 0.9 {
		t.Errorf("accuracy %v on bright rows", r.BestAccuracy)
	}
}

// TestRates has the default of -apo, with groups too.
func TestRates(t *testing.T) {
	rate := 0.5
	for _, c := range []struct {
		optimizer, apo string
		groups         []app.Group
		want           string
	}{
		{"sgdm", "", nil, apoCalibrated},
		{"kfac", "", nil, apoNone},
		{"sgdm", "", []app.Group{{Params: []string{"*"}, Rate: &rate}, {Params: []string{"a"}, Rule: "adam"}, {Params: []string{"b"}, Frozen: true}}, apoCalibrated},
		{"sgdm", "", []app.Group{{Params: []string{"*"}, Rule: "muon"}}, apoPlain},
		{"kfac", "", []app.Group{{Params: []string{"*"}, Rule: "adam"}}, apoPlain},
		{"sgdm", apoNone, []app.Group{{Params: []string{"*"}, Rate: &rate}}, apoNone},
	} {
		var s settings
		s.SetDefaults()
		s.Optimizer, s.APO, s.Groups = c.optimizer, c.apo, c.groups
		if got, err := s.rates(); got != c.want || err != nil {
			t.Errorf("-opt %s -apo %q -group %v: %q, want %q; %v", c.optimizer, c.apo, c.groups, got, c.want, err)
		}
	}
}
