package exampletest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// Huge is beyond every integer.
const Huge = "99999999999999999999"

// badFlags are values that every program is to refuse.
func (s *Suite) badFlags() []BadInput {
	optimizer := s.App.OptimizerFlag
	return slices.Concat(
		Flag("data", "", "nosuch"),
		Flag(optimizer, "", "nosuch"),
		Flag("settings", "{", "null", "[]", `"x"`, `{"nosuch": 1}`, `{"momentum": 2}`, `{"momentum": 1e999}`,
			`{"momentum": "x"}`, `{"momentum": NaN}`, "{} {}", "x"),
		Flag("lr", "0", "-1", "NaN", "Inf", "-Inf", "1e300", "1e999", "x", ""),
		Flag("k", "-1", "x", "1.5", Huge, "9223372036854775807"),
		Flag("fsd", "-1", "NaN", "Inf", "1e300", "x"),
		Flag("wsd", "-1", "NaN", "Inf", "1e300", "x"),
		Flag("batch", "0", "-1", "x", Huge, "1000000000000"),
		Flag("epochs", "0", "-1", "x", Huge, "9223372036854775807"),
		Flag("seed", "-1", "x", Huge),
		Flag("dtype", "", "float16"),
		Flag("precision", "", "float8", "float64", "BFLOAT16"),
		Flag("schedule", "", "zigzag"),
		Flag("warm-up", "-1", "x", Huge, "9223372036854775807"),
		Flag("out", ""),
		Flag("log", "nosuch", "csv", "tensorboard,nosuch"),
		[]BadInput{
			{[]string{"-" + optimizer, "nosuch"}, cli.Usage, append(trainers.OptimizerNames(), "nosuch")},
			{[]string{"-data", "nosuch"}, cli.Usage, append(slices.Clone(s.App.Data), "nosuch")},
			{[]string{"-precision", "half"}, cli.Usage, []string{"-precision", "half", "float32", "bfloat16", "float16"}},
			{[]string{"-precision", "bfloat16", "-dtype", "float64"}, cli.Usage, []string{"-precision bfloat16", "-dtype float32"}},
			{[]string{"-lr"}, cli.Usage, []string{"-lr"}},
			{[]string{"-nosuch"}, cli.Usage, []string{"-nosuch"}},
			{[]string{"word"}, cli.Usage, []string{`"word"`}},
			{[]string{"-k", "1", "word", "-lr", "1"}, cli.Usage, []string{`"word"`}},
			{[]string{"-batch", "61"}, cli.Usage, []string{"61 rows", "60"}},
		},
		s.Bad)
}

// testBadFlags has an earlier run in the folder, which must stay as it is.
func (s *Suite) testBadFlags(t *testing.T, data string) {
	out := t.TempDir()
	for _, name := range []string{"settings.json", "checkpoint", "steps.csv", "loss.png", "best.safetensors", "result.json"} {
		Write(t, filepath.Join(out, name), "of an earlier run")
	}
	Refuse(t, s.program(out, sourceOf(data)...), out, s.badFlags())
	none := filepath.Join(t.TempDir(), "out")
	Refuse(t, s.program(none, sourceOf(data)...), filepath.Dir(none), append(s.badFlags(),
		BadInput{[]string{"-resume"}, cli.Failed, []string{"nothing to resume", "settings.json"}}))
}

// testBadFolders has results that cannot be written.
func (s *Suite) testBadFolders(t *testing.T, data string) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	Write(t, file, "x")
	for _, out := range []string{file, filepath.Join(file, "below"), filepath.Join(base, "a\x00b"), filepath.Join(base, strings.Repeat("long", 100))} {
		Refuse(t, s.program(out, sourceOf(data)...), base, []BadInput{{s.Small, cli.Failed, []string{base}}})
	}
}

// testBadEnvironment has a data folder that is none or empty.
func (s *Suite) testBadEnvironment(t *testing.T, _ string) {
	titles := map[string]string{"mnist": "MNIST", "fashion": "Fashion-MNIST", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN"}
	base := t.TempDir()
	file, empty := filepath.Join(base, "file"), t.TempDir()
	Write(t, file, "x")
	for _, dir := range []string{file, filepath.Join(base, "nowhere"), empty} {
		t.Setenv("APO_DATA", dir)
		var all []BadInput
		for _, set := range s.App.Data {
			if set == "fashion" && dir == empty {
				continue // a package of the system may have it
			}
			all = append(all, BadInput{With(s.Small, "-data", set), cli.Failed, []string{titles[set], "APO_DATA", dir}})
		}
		p := s.program(filepath.Join(base, "out"), datasets.WithCacheDir(t.TempDir()), datasets.WithoutDownload())
		Refuse(t, p, base, all)
	}
}

// testBadRuns has runs whose files were damaged; -resume must refuse them and
// change nothing.
func (s *Suite) testBadRuns(t *testing.T, data string) {
	good := t.TempDir()
	s.MustRun(t, data, With(s.Small, With(s.Extendable, "-epochs", "1", "-out", good)...)...)
	files := Snapshot(t, good)
	settings, checkpoint := files[filepath.Join(good, "settings.json")], files[filepath.Join(good, "checkpoint")]
	all := [][3]string{
		{"settings.json", "", "settings.json"},
		{"settings.json", "{", "settings.json"},
		{"settings.json", "[]", "settings.json"},
		{"settings.json", "x", "settings.json"},
		{"settings.json", settings[:len(settings)/2], "settings.json"},
		{"settings.json", settings + "}", "settings.json"},
		{"settings.json", "null", "settings.json: -dtype"},
		{"settings.json", "{}", "settings.json: -dtype"},
		{"checkpoint", "", "checkpoint"},
		{"checkpoint", "x", "checkpoint"},
		{"checkpoint", checkpoint[:len(checkpoint)/2], "checkpoint"},
		{"checkpoint", checkpoint[:len(checkpoint)-1], "checkpoint"},
		{"checkpoint", checkpoint[:7], "checkpoint"},
		{"checkpoint", "\xff\xff\xff\xff\xff\xff\xff\x7f" + checkpoint[8:], "checkpoint"},
	}
	changes := append([][3]string{
		{`"batch": 10`, `"batch": "10"`, "settings.json"},
		{`"batch": 10`, `"batch": -5`, "settings.json: -batch -5"},
		{`"sgdm"`, `"adam"`, "checkpoint"},
		{`"batch": 10`, `"batch": 10, "precision": "float8"`, "settings.json: -precision"},
	}, s.DamagedSettings...)
	for _, c := range changes {
		if !strings.Contains(settings, c[0]) {
			t.Fatalf("settings.json has no %s", c[0])
		}
		all = append(all, [3]string{"settings.json", strings.Replace(settings, c[0], c[1], 1), c[2]})
	}
	for _, bad := range all {
		out := t.TempDir()
		for path, content := range files {
			if path != good {
				Write(t, filepath.Join(out, filepath.Base(path)), content)
			}
		}
		Write(t, filepath.Join(out, bad[0]), bad[1])
		rows := []BadInput{{[]string{"-resume", "-epochs", "2"}, cli.Failed, []string{bad[2]}}}
		t.Run(bad[0], func(t *testing.T) { Refuse(t, s.program(out, sourceOf(data)...), out, rows) })
	}
}

func (s *Suite) testDamagedData(t *testing.T, _ string) {
	data := t.TempDir()
	s.WriteData(t, data)
	if err := os.Truncate(filepath.Join(data, s.Damaged), 1000); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := s.Start(t, data, "-out", t.TempDir())
	if code != cli.Failed || !strings.Contains(stderr, s.Damaged) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr = s.Start(t, t.TempDir(), "-out", t.TempDir()); code != cli.Failed || strings.Count(stderr, "\n") != 1 {
		t.Errorf("no data: exit code %d: %s", code, stderr)
	}
}
