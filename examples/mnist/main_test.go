package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

var suite = &exampletest.Suite{
	App:       mnist,
	WriteData: writeData,
	Damaged:   "train-images-idx3-ubyte",
	Small:     []string{"-hidden", "8", "-batch", "10", "-epochs", "3"},
	Runs: map[string]exampletest.Run{
		"sgdm":     {Args: nil, Picture: "rate.png", Rates: 1, Steps: 6},
		"layers":   {Args: []string{"-per-layer", "-optimizer", "adam", "-schedule", "cosine", "-warm-up", "3"}, Picture: "rate.png", Rates: 2, Steps: 6},
		"bfloat16": {Args: []string{"-precision", "bfloat16"}, Picture: "rate.png", Rates: 1, Steps: 6},
		"float32":  {Args: []string{"-precision", "float32"}, Picture: "rate.png", Rates: 1, Steps: 6},
		"low rank": {Args: []string{"-optimizer", "precond", "-k", "5"}, Picture: "precond.png", Steps: 6},
		"precond":  {Args: []string{"-optimizer", "precond-plain", "-meta", "rmsprop", "-dtype", "float64", "-k", "1"}, Picture: "precond.png", Steps: 6},
		"relative": {Args: []string{"-optimizer", "precond-relative", "-k", "5"}, Picture: "precond.png", Steps: 6},
		"fashion":  {Args: []string{"-data", "fashion", "-optimizer", "rmsprop", "-settings", `{"decay": 0.9}`, "-schedule", "step", "-activation", "tanh"}, Picture: "rate.png", Rates: 1, Steps: 6},
		"groups":   {Args: []string{"-group", "dense1:rate=0.5", "-optimizer", "adam", "-settings", `{"beta2": 0.9}`, "-k", "2"}, Picture: "rate.png", Rates: 2, Steps: 6},
		"fixed":    {Args: []string{"-k", "0", "-schedule", "inverse-sqrt", "-lr", "0.1"}, Picture: "rate.png", Rates: 1, Steps: 6},
	},
	Resumed: map[string][]string{
		"sgdm":    {"-k", "4", "-lr", "0.1"},
		"float16": {"-k", "4", "-precision", "float16"},
		"adam":    {"-optimizer", "adam", "-per-layer", "-schedule", "cosine", "-settings", `{"beta2": 0.9}`},
		"precond": {"-optimizer", "precond-plain", "-k", "2"},
		"groups":  {"-group", "dense0:frozen", "-group", "dense1:rule=adamw,rate=2", "-k", "2"},
	},
	Bad: slices.Concat(
		exampletest.Flag("hidden", "", "0", "-1", "1,,2", "x", "1e3", "1000000000000", "9223372036854775807", exampletest.Huge,
			"1000000,1000000", "3000000000", strings.Repeat("1,", 100)+"1"),
		exampletest.Flag("activation", "", "gelu"),
		exampletest.Flag("meta", "lion"),
		exampletest.Flag("group", "", "dense0", ":frozen", "dense0:cold", "dense0:", "dense0:rate=0", "dense0:rate=x", "dense0:rule=lion", "[:frozen", "*:frozen,rate=2"),
		exampletest.Flag("meta-lr", "0", "-1", "NaN", "Inf", "1e300"),
		[]exampletest.BadInput{
			{Args: []string{"-hidden", "10,x"}, Code: cli.Usage, Says: []string{"hidden", `"x"`}},
			{Args: []string{"-batch", "10", "-group", "nosuch:frozen"}, Code: cli.Usage, Says: []string{"-group", `"nosuch"`, "dense0, dense1"}},
			{Args: []string{"-batch", "10", "-group", "dense0:frozen", "-group", "dense*:rate=2"}, Code: cli.Usage, Says: []string{"-group", `"dense0" is in the groups 0 and 1`}},
			{Args: []string{"-activation", "gelu"}, Code: cli.Usage, Says: []string{"gelu", "tanh"}},
			{Args: []string{"-hidden", "1000000000000"}, Code: cli.Usage, Says: []string{"7.95e+14 parameters", "PB"}},
			{Args: []string{"-per-layer", "-optimizer", "precond-plain"}, Code: cli.Usage, Says: []string{"-per-layer", "precond"}},
			{Args: []string{"-meta", "adam", "-optimizer", "precond-above"}, Code: cli.Usage, Says: []string{"-meta", "precond-above"}},
			{Args: []string{"-meta-lr", "0.1", "-optimizer", "precond-trust-region"}, Code: cli.Usage, Says: []string{"-meta-lr", "precond-trust-region"}},
		}),
	Help: "-meta-lr",
	DamagedSettings: [][3]string{
		{`"relu"`, `"tanh"`, "checkpoint"},
		{"8\n", "9\n", "checkpoint"},
		{"8\n", "-8\n", "settings.json: -hidden"},
		{"8\n", "1000000000000\n", "settings.json: -hidden"},
	},
	Fixed: [][]string{{"-hidden", "9"}, {"-precision", "float16"}, {"-group", "dense0:frozen"}},
}

func TestMain(m *testing.M) { suite.Main(m) }

func TestProgram(t *testing.T) { suite.Test(t) }

// TestFrozen trains all but the frozen layer.
func TestFrozen(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	weights := func(epochs string) map[string][]float32 {
		out := t.TempDir()
		if code, _, stderr := suite.Start(t, data, "-hidden", "8", "-batch", "10", "-epochs", epochs, "-group", "dense0:frozen", "-out", out); code != cli.OK {
			t.Fatalf("exit code %d\n%s", code, stderr)
		}
		all, err := checkpoint.ReadSafetensors(filepath.Join(out, "weights.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		values := map[string][]float32{}
		for _, w := range all {
			values[w.Name] = w.Value.Float32s()
		}
		return values
	}
	one, two := weights("1"), weights("2")
	if len(one["dense0"]) == 0 || !slices.Equal(one["dense0"], two["dense0"]) || slices.Equal(one["dense1"], two["dense1"]) {
		t.Errorf("of %d weights", len(one))
	}
}
