package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// linear is a run of the reference below.
type linear struct {
	log bool
	k   int
	lr  float64
	fsd float64 // λ_FSD
}

// The sizes of the reference's runs: x is rows×inputs.
const (
	rows, inputs, outputs = 3, 2, 2
	lambdaWSD             = 0.2
	metaRate              = 0.05
	steps                 = 5
)

// run implements the contents of a fixture independently, in loops over numbers:
// y = [x,1]·W, the squared error, SGD with an adapted rate, and SGD as meta-optimizer.
// There is one direction and the outputs are linear in W, so all derivatives by φ are
// known: with s = dη/dφ (η for log η, 1 for η itself)
//
//	dJ(θ')/dφ = -s·<∇J(θ'), g>    dFSD/dφ = 2·s/η·FSD    dWSD/dφ = 2·s/η·WSD
func (l linear) run() map[string]any {
	w := [][]float64{{0.5, -0.25}, {1, 0.75}, {-0.5, 0.125}}
	phi := l.lr
	if l.log {
		phi = math.Log(l.lr)
	}
	file := map[string]any{
		"name": "linear", "dtype": "float64",
		"model":          map[string]any{"kind": "mlp", "sizes": []int{inputs, outputs}, "activation": "relu"},
		"loss":           "mse",
		"fsd_direction":  "old_new",
		"rule":           map[string]any{"kind": "sgd", "lr": l.lr, "log": l.log, "momentum": 0.9, "weight_decay": 0.1},
		"meta_optimizer": map[string]any{"kind": "sgd", "lr": metaRate},
		"K":              l.k, "lambda_fsd": l.fsd, "lambda_wsd": lambdaWSD,
		"theta0": layer(w), "phi0": map[string]any{"lr": phi},
	}
	var all []any
	for t := range steps {
		x, y, tilde := table(t, 1, inputs), table(t, 2, outputs), table(t, 3, inputs)
		j, g := squaredError(w, x, y)
		step := map[string]any{"x": x, "t": y, "x_tilde": nil, "loss": number(j), "grad": layer(g), "meta": nil}
		rate, slope := l.rate(phi)
		if l.k > 0 && t%l.k == 0 {
			moved := minus(w, g, rate)
			movedJ, movedG := squaredError(moved, x, y)
			var fsd float64
			if l.fsd > 0 {
				fsd, _ = squaredError(minus(w, moved, 1), tilde, [][]float64{{0, 0}, {0, 0}, {0, 0}})
				step["x_tilde"] = tilde
			}
			wsd := rate * rate * dot(g, g) / 2
			dphi := -slope*dot(movedG, g) + 2*slope/rate*(l.fsd*fsd+lambdaWSD*wsd)
			step["meta"] = map[string]any{
				"q": movedJ + l.fsd*fsd + lambdaWSD*wsd, "loss": movedJ, "fsd": fsd, "wsd": wsd,
				"dphi": map[string]any{"lr": dphi},
			}
			phi -= metaRate * dphi
			rate, _ = l.rate(phi)
		}
		w = minus(w, g, rate)
		step["phi"], step["theta"] = map[string]any{"lr": phi}, layer(w)
		all = append(all, step)
	}
	file["steps"] = all
	return file
}

// rate is η and dη/dφ.
func (l linear) rate(phi float64) (eta, slope float64) {
	if l.log {
		return math.Exp(phi), math.Exp(phi)
	}
	return phi, 1
}

// squaredError is the mean over the batch of half the squared distance to y, with its
// gradient by w.
func squaredError(w, x, y [][]float64) (loss float64, grad [][]float64) {
	grad = make([][]float64, len(w))
	for i := range w {
		grad[i] = make([]float64, outputs)
	}
	for n := range x {
		a := []float64{x[n][0], x[n][1], 1}
		for k := range outputs {
			e := -y[n][k]
			for i := range a {
				e += a[i] * w[i][k]
			}
			loss += e * e / 2 / rows
			for i := range a {
				grad[i][k] += a[i] * e / rows
			}
		}
	}
	return loss, grad
}

// minus is w - rate·d.
func minus(w, d [][]float64, rate float64) [][]float64 {
	out := make([][]float64, len(w))
	for i := range w {
		for k := range w[i] {
			out[i] = append(out[i], w[i][k]-rate*d[i][k])
		}
	}
	return out
}

func dot(a, b [][]float64) (sum float64) {
	for i := range a {
		for k := range a[i] {
			sum += a[i][k] * b[i][k]
		}
	}
	return sum
}

// table has some numbers between -1.25 and 1.25.
func table(t, kind, cols int) [][]float64 {
	out := make([][]float64, rows)
	for i := range out {
		for k := range cols {
			out[i] = append(out[i], float64((17*t+29*kind+7*i+5*k+t*i*kind)%11-5)/4)
		}
	}
	return out
}

func layer(w [][]float64) map[string]any {
	out := make([][]any, len(w))
	for i, row := range w {
		for _, v := range row {
			out[i] = append(out[i], number(v))
		}
	}
	return map[string]any{"l0": out}
}

// number is v, or a string whose quotes encode removes.
func number(v float64) any {
	switch {
	case math.IsNaN(v):
		return "!NaN"
	case math.IsInf(v, 1):
		return "!Infinity"
	case math.IsInf(v, -1):
		return "!-Infinity"
	}
	return v
}

func encode(t testing.TB, file map[string]any) []byte {
	t.Helper()
	data, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"NaN", "Infinity", "-Infinity"} {
		data = bytes.ReplaceAll(data, fmt.Appendf(nil, `"!%s"`, n), []byte(n))
	}
	return data
}

var tiny = filepath.Join("testdata", "linear-sgd.json")

// tinyFile is the fixture in testdata.
func tinyFile(t testing.TB) map[string]any {
	t.Helper()
	data, err := os.ReadFile(tiny)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file
}
