package parity

import (
	"context"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func command(args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = Command(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

// save writes a fixture to a file of its own.
func save(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fixture.json")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// check replays a fixture and returns its line.
func check(t *testing.T, file map[string]any, wantCode int) string {
	t.Helper()
	code, stdout, stderr := command(save(t, encode(t, file)))
	if code != wantCode {
		t.Errorf("exit code %d, not %d: %s%s", code, wantCode, stdout, stderr)
	}
	return stdout
}

var update = flag.Bool("update", false, "write testdata anew")

func TestTheTinyFixturePasses(t *testing.T) {
	if *update {
		data := encode(t, linear{log: true, k: 2, lr: 0.05, fsd: 0.3}.run())
		if err := os.WriteFile(tiny, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := command(tiny)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	for _, name := range quantityNames {
		if !strings.Contains(stdout, " "+name+"=") {
			t.Errorf("no %s in %q", name, stdout)
		}
	}
}

func TestRunsOfTheReferencePass(t *testing.T) {
	for _, l := range []linear{
		{log: true, k: 1, lr: 0.1, fsd: 0.3}, {log: true, k: 3, lr: 0.01}, {log: true, k: 0, lr: 0.1},
		{log: false, k: 1, lr: 0.1}, {log: false, k: 2, lr: 0.02, fsd: 1}, {log: false, k: 0, lr: 0.1},
	} {
		if line := check(t, l.run(), 0); !strings.Contains(line, "  pass  ") {
			t.Errorf("%+v: %s", l, line)
		}
	}
}

func TestWithoutMetaStepsTheirFieldsMayBeMissing(t *testing.T) {
	file := linear{k: 0, lr: 0.1}.run()
	delete(file["rule"].(map[string]any), "log")
	for _, key := range []string{"fsd_direction", "meta_optimizer", "lambda_fsd", "lambda_wsd", "phi0"} {
		delete(file, key)
	}
	for _, s := range file["steps"].([]any) {
		for _, key := range []string{"phi", "meta", "x_tilde"} {
			delete(s.(map[string]any), key)
		}
	}
	if line := check(t, file, 0); strings.Contains(line, "phi=") || strings.Contains(line, "q=") {
		t.Errorf("quantities that the file does not have: %s", line)
	}
}

// largest finds the number of largest magnitude in nested lists and objects, and
// a function that replaces it.
func largest(v any) (value float64, set func(float64)) {
	take := func(x float64, s func(float64)) {
		if math.Abs(x) > math.Abs(value) || set == nil {
			value, set = x, s
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for key, w := range v {
			if x, ok := w.(float64); ok {
				take(x, func(y float64) { v[key] = y })
			} else {
				take(largest(w))
			}
		}
	case []any:
		for i, w := range v {
			if x, ok := w.(float64); ok {
				take(x, func(y float64) { v[i] = y })
			} else {
				take(largest(w))
			}
		}
	}
	return value, set
}

func TestAnyWrongQuantityFails(t *testing.T) {
	only := func(o map[string]any, key string) map[string]any {
		return map[string]any{key: o[key]}
	}
	for _, at := range []int{0, 2, 4} {
		for _, q := range quantityNames {
			for _, wrong := range []func(float64) float64{
				func(x float64) float64 { return x * (1 + 1e-5) },
				func(x float64) float64 { return x * (1 - 1e-5) },
				func(float64) float64 { return math.NaN() },
				func(float64) float64 { return math.Inf(-1) },
			} {
				file := tinyFile(t)
				step := file["steps"].([]any)[at].(map[string]any)
				place, key := step, q
				switch q {
				case "q", "fsd", "wsd", "dphi":
					place = step["meta"].(map[string]any)
				case "meta-loss":
					place, key = step["meta"].(map[string]any), "loss"
				}
				holder := only(place, key)
				value, set := largest(holder)
				if x := number(wrong(value)); x == any(wrong(value)) {
					set(wrong(value))
				} else {
					spoil(holder, x)
				}
				place[key] = holder[key]
				line := check(t, file, 1)
				if !strings.Contains(line, "  fail  ") || !strings.Contains(line, "first: "+q) {
					t.Errorf("%s at step %d: %s", q, at, line)
				}
			}
		}
	}
}

// spoil replaces the first number found by x.
func spoil(v any, x any) bool {
	switch v := v.(type) {
	case map[string]any:
		for key, w := range v {
			if _, ok := w.(float64); ok {
				v[key] = x
				return true
			}
			if spoil(w, x) {
				return true
			}
		}
	case []any:
		for i, w := range v {
			if _, ok := w.(float64); ok {
				v[i] = x
				return true
			}
			if spoil(w, x) {
				return true
			}
		}
	}
	return false
}

func TestARunThatDivergesPassesUpToThere(t *testing.T) {
	file := linear{log: true, k: 0, lr: 1e160}.run()
	line := check(t, file, 0)
	if !strings.Contains(line, "ends at step 1 of 5") {
		t.Error(line)
	}
	file["steps"].([]any)[1].(map[string]any)["loss"] = 1.0
	if line := check(t, file, 1); !strings.Contains(line, "fail: ") || !strings.Contains(line, "step 1") {
		t.Error(line)
	}
}

func TestUnsupportedFiles(t *testing.T) {
	set := func(object, key string, v any) func(map[string]any) {
		return func(file map[string]any) { file[object].(map[string]any)[key] = v }
	}
	step := func(i int, key string, v any) func(map[string]any) {
		return func(file map[string]any) { file["steps"].([]any)[i].(map[string]any)[key] = v }
	}
	for want, change := range map[string]func(map[string]any){
		"dtype float32":     func(file map[string]any) { file["dtype"] = "float32" },
		"steps[1].x has 1":  step(1, "x", []any{[]any{1.0, 2.0}}),
		"steps[4].x_tilde ": step(4, "x_tilde", []any{[]any{1.0, 2.0}}),
		"steps[2].phi.lr is -0.5": func(file map[string]any) {
			set("rule", "log", false)(file)
			set("phi0", "lr", 0.1)(file)
			for i := range steps {
				step(i, "phi", map[string]any{"lr": 0.1})(file)
			}
			step(2, "phi", map[string]any{"lr": -0.5})(file)
		},
	} {
		file := tinyFile(t)
		change(file)
		if line := check(t, file, 3); !strings.Contains(line, "unsupported: "+want) {
			t.Errorf("%s: %s", want, line)
		}
	}
}

func TestExitCodesByPrecedence(t *testing.T) {
	wrong, other := tinyFile(t), tinyFile(t)
	wrong["steps"].([]any)[0].(map[string]any)["loss"] = 7.0
	other["dtype"] = "float32"
	failing, unbuilt := save(t, encode(t, wrong)), save(t, encode(t, other))
	broken := save(t, []byte("{"))
	for _, c := range []struct {
		files []string
		want  int
	}{
		{[]string{tiny, tiny}, 0},
		{[]string{tiny, unbuilt, tiny}, 3},
		{[]string{unbuilt, failing, tiny}, 1},
		{[]string{failing, unbuilt, broken, tiny}, 2},
		{[]string{broken}, 2},
		{[]string{filepath.Join(t.TempDir(), "missing.json"), tiny}, 2},
		{[]string{t.TempDir()}, 2},
	} {
		code, stdout, stderr := command(c.files...)
		if code != c.want {
			t.Errorf("%q: exit code %d, not %d", c.files, code, c.want)
		}
		if lines := strings.Count(stdout, "\n"); lines != len(c.files) {
			t.Errorf("%q: %d lines: %s", c.files, lines, stdout)
		}
		if (stderr != "") != (c.want == 2) {
			t.Errorf("%q: stderr %q", c.files, stderr)
		}
	}
}

func TestUsage(t *testing.T) {
	code, stdout, stderr := command("-h")
	if code != 0 || stderr != "" || !strings.Contains(stdout, "Exit codes") {
		t.Errorf("-h: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	for _, args := range [][]string{nil, {"-nonsense", tiny}} {
		code, stdout, stderr := command(args...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, "Usage") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, err strings.Builder
	if code := Command(ctx, []string{tiny}, &out, &err); code != 2 || out.Len() > 0 || !strings.Contains(err.String(), "canceled") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out.String(), err.String())
	}
}
