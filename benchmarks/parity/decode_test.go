package parity

import (
	"os"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

func TestMalformedFiles(t *testing.T) {
	type object = map[string]any
	top := func(key string, v any) func(object) { return func(f object) { f[key] = v } }
	without := func(key string) func(object) { return func(f object) { delete(f, key) } }
	in := func(name, key string, v any) func(object) {
		return func(f object) { f[name].(object)[key] = v }
	}
	drop := func(name, key string) func(object) {
		return func(f object) { delete(f[name].(object), key) }
	}
	step := func(i int, key string, v any) func(object) {
		return func(f object) { f["steps"].([]any)[i].(object)[key] = v }
	}
	for _, c := range []struct {
		want   string
		change func(object)
	}{
		{"K is -1: it must be 0 or more", top("K", -1)},
		{"K is 1.5, not a whole number", top("K", 1.5)},
		{"K is missing", without("K")},
		{"K is a string, not a number", top("K", "2")},
		{"steps is missing", without("steps")},
		{"steps is empty", top("steps", []any{})},
		{"steps is an object, not a list", top("steps", object{})},
		{"steps[0] is a number, not an object", top("steps", []any{1})},
		{`dtype is "float16"`, top("dtype", "float16")},
		{`model.kind is "rnn"`, in("model", "kind", "rnn")},
		{"model is missing", without("model")},
		{"model.sizes is missing", drop("model", "sizes")},
		{"model.sizes has 0, not a positive", in("model", "sizes", []int{2, 0})},
		{"model.sizes has -3, not a positive", in("model", "sizes", []int{-3, 2})},
		{"model.sizes has 1e+30, not a positive", in("model", "sizes", []float64{1e30, 2})},
		{"model.sizes has 1 entries", in("model", "sizes", []int{2})},
		{`model.activation is "step"`, in("model", "activation", "step")},
		{`loss is "hinge"`, top("loss", "hinge")},
		{`rule.kind is "lion"`, in("rule", "kind", "lion")},
		{"rule.lr is missing", drop("rule", "lr")},
		{"rule.log is missing", drop("rule", "log")},
		{"rule: trainers: sgd: lr is -1", in("rule", "lr", -1)},
		{"rule.rms_decay is missing", in("rule", "kind", "rmsprop")},
		{"rule.b1 is missing", in("rule", "kind", "adam")},
		{"rule.momentum_mode is missing", in("rule", "kind", "precond")},
		{`meta_optimizer.kind is "precond"`, in("meta_optimizer", "kind", "precond")},
		{"meta_optimizer is missing", without("meta_optimizer")},
		{"meta_optimizer.lr is a string, not a number", in("meta_optimizer", "lr", "fast")},
		{"lambda_fsd is -1", top("lambda_fsd", -1)},
		{"lambda_wsd is missing", without("lambda_wsd")},
		{"theta0 is missing", without("theta0")},
		{"theta0.l0 is missing", top("theta0", object{})},
		{"theta0.l1 does not belong", in("theta0", "l1", 1)},
		{"theta0.l0 has 2 entries, not 3", in("theta0", "l0", [][]float64{{1, 2}, {3, 4}})},
		{"theta0.l0[1] has 1 entries, not 2", in("theta0", "l0", [][]float64{{1, 2}, {3}, {4, 5}})},
		{"theta0.l0 is not finite", in("theta0", "l0", [][]any{{1, 2}, {3, "!NaN"}, {4, 5}})},
		{"phi0 is missing", without("phi0")},
		{"phi0.lr is a list, not a number", in("phi0", "lr", []int{1})},
		{"steps[1].x is missing", step(1, "x", nil)},
		{"steps[1].x is empty", step(1, "x", []any{})},
		{"steps[1].x[0] is a number, not a list", step(1, "x", []any{1})},
		{"steps[1].x[0] has 3 entries, not 2", step(1, "x", [][]int{{1, 2, 3}})},
		{"steps[1].x[2][0] is a string, not a number", step(1, "x", [][]any{{1, 2}, {3, 4}, {"NaN", 6}})},
		{"steps[1].x[2][0] is null, not a number", step(1, "x", [][]any{{1, 2}, {3, 4}, {nil, 6}})},
		{"steps[1].x is not finite", step(1, "x", [][]any{{1, 2}, {3, 4}, {"!Infinity", 6}})},
		{"steps[1].t has 1 entries, not 3", step(1, "t", [][]int{{1, 2}})},
		{"steps[3].loss is a string, not a number", step(3, "loss", "NaN")},
		{"steps[3].grad is missing", step(3, "grad", nil)},
		{"steps[3].theta.l0 is missing", step(3, "theta", object{})},
		{"steps[3].phi is missing", step(3, "phi", nil)},
		{"steps[3].phi.l0/A does not belong", step(3, "phi", object{"lr": 1, "l0/A": 1})},
		{"steps[2].x_tilde is missing", step(2, "x_tilde", nil)},
		{"steps[2].meta is missing", step(2, "meta", nil)},
		{"steps[3].meta is given", step(3, "meta", object{})},
		{"steps[2].meta.fsd is missing", step(2, "meta", object{"q": 1, "loss": 2, "wsd": 3, "dphi": object{"lr": 1}})},
		{"steps[2].meta.dphi is a list, not an object", step(2, "meta", object{"q": 1, "loss": 2, "fsd": 0, "wsd": 3, "dphi": []int{}})},
		{"fsd_direction is missing", func(f object) { f["loss"] = "bce"; delete(f, "fsd_direction") }},
		{`fsd_direction is "sideways"`, func(f object) { f["loss"] = "bce"; f["fsd_direction"] = "sideways" }},
		{"steps[0].t has ", top("loss", "bce")},
		{"steps[0].t[0] is a list, not a number", top("loss", "ce")},
		{"steps[0].t has 2 at 1: the classes are 0 to 1", func(f object) { f["loss"] = "ce"; step(0, "t", []int{0, 2, 1})(f) }},
		{"steps[0].t has -1 at 0", func(f object) { f["loss"] = "ce"; step(0, "t", []int{-1, 0, 1})(f) }},
		{"steps[0].t has 0.5 at 2", func(f object) { f["loss"] = "ce"; step(0, "t", []float64{1, 0, 0.5})(f) }},
	} {
		file := tinyFile(t)
		c.change(file)
		path := save(t, encode(t, file))
		code, stdout, stderr := command(path)
		if code != 2 || !strings.Contains(stderr, path+": "+c.want) || !strings.Contains(stdout, "invalid") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", c.want, code, stdout, stderr)
		}
	}
}

func TestNotJSON(t *testing.T) {
	for data, want := range map[string]string{
		"":                        "unexpected end",
		"null":                    "null",
		"[]":                      "array",
		"{} {}":                   "byte 4",
		`{"K": 0, "steps": [1, x`: "byte 23",
		`{"K": NaN, "a": x`:       "byte 17",
		`{"K": 1e999}`:            "1e999",
		`{"K": -NaN}`:             "invalid character",
		`{"K": NaNa}`:             "invalid character",
	} {
		if _, err := Decode([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %q", data, err, want)
		}
	}
}

func TestATruncatedFileIsInvalidWherever(t *testing.T) {
	data := encode(t, tinyFile(t))
	for n := 0; n < len(data); n += 97 {
		if _, err := Decode(data[:n]); err == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(data))
		}
	}
}

func TestDecodeLeavesItsInputAlone(t *testing.T) {
	data := []byte(`{"K": NaN}`)
	Decode(data)
	if string(data) != `{"K": NaN}` {
		t.Errorf("%q", data)
	}
}

func FuzzDecode(f *testing.F) {
	data, err := os.ReadFile(tiny)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, s := range []string{
		`{}`, `{"K":0,"steps":[{}]}`, `{"K":-Infinity,"loss":NaN}`, `{"K":1,"dtype":"float64","loss":"ce"}`,
		`{"K":0,"dtype":"float64","loss":"ce","model":{"kind":"mlp","sizes":[1,2],"activation":"tanh"},"rule":{"kind":"sgd","lr":1},
"theta0":{"l0":[[1,2],[3,4]]},"steps":[{"x":[[1]],"t":[1],"loss":0,"grad":{"l0":[[1,2],[3,4]]},"theta":{"l0":[[1,2],[3,NaN]]}}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fixture, err := Decode(data)
		var u *Unsupported
		switch {
		case (fixture == nil) == (err == nil):
			t.Fatalf("fixture %v, error %v", fixture, err)
		case errors.As(err, &u) && u.Reason == "":
			t.Fatal("unsupported without a reason")
		case err != nil && err.Error() == "":
			t.Fatal("an empty error")
		case err == nil && len(fixture.Steps) == 0:
			t.Fatal("a fixture without steps")
		}
	})
}
