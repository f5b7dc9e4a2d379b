package rule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// product is x·y of n×k and k×m.
func product(x, y []float64, n, k, m int) []float64 {
	z := make([]float64, n*m)
	for i := range n {
		for j := range m {
			for l := range k {
				z[i*m+j] += x[i*k+l] * y[l*m+j]
			}
		}
	}
	return z
}

func transposed(x []float64, n, m int) []float64 {
	y := make([]float64, len(x))
	for i := range n {
		for j := range m {
			y[j*n+i] = x[i*m+j]
		}
	}
	return y
}

// twinNewtonSchulz is the iteration as Jordan et al. have it, for outputs×inputs.
func twinNewtonSchulz(g []float64, rows, cols, steps int) []float64 {
	if rows > cols {
		return transposed(twinNewtonSchulz(transposed(g, rows, cols), cols, rows, steps), cols, rows)
	}
	x := slices.Clone(g)
	norm := math.Sqrt(normSq(x)) + 1e-7
	for i := range x {
		x[i] /= norm
	}
	for range steps {
		a := product(x, transposed(x, rows, cols), rows, cols, rows)
		b := product(a, a, rows, rows, rows)
		for i := range b {
			b[i] = 2.0315*b[i] - 4.7750*a[i]
		}
		bx := product(b, x, rows, rows, cols)
		for i := range x {
			x[i] = 3.4445*x[i] + bx[i]
		}
	}
	return x
}

// TestNewtonSchulz compares the iteration with its twin, and its singular values with 1.
func TestNewtonSchulz(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, shape := range [][2]int{{1, 1}, {1, 5}, {5, 1}, {4, 7}, {7, 4}, {6, 6}, {40, 150}, {150, 40}} {
		rows, cols := shape[0], shape[1]
		g := make([]float64, rows*cols)
		for i := range g {
			g[i] = rng.NormFloat64() * 1e-3
		}
		x := slices.Clone(g)
		newNewtonSchulz[float64](rows, cols).orthogonalise(x, 5)
		if far := math.Sqrt(normSq(minus(x, twinNewtonSchulz(g, rows, cols, 5)))); far > 1e-10 {
			t.Errorf("%v: off by %.1e", shape, far)
		}
		// ‖X‖² is the sum of the squares of the singular values: of ones, about.
		if mean := normSq(x) / float64(min(rows, cols)); rows != cols && (mean < 0.45 || mean > 1.5) {
			t.Errorf("%v: the mean of the squared singular values is %v", shape, mean)
		}
		single := make([]float32, len(g))
		for i, v := range g {
			single[i] = float32(v)
		}
		newNewtonSchulz[float32](rows, cols).orthogonalise(single, 5)
		for i, v := range single {
			if math.Abs(float64(v)-x[i]) > 1e-4 {
				t.Fatalf("%v: element %d is %v in float32, %v in float64", shape, i, v, x[i])
			}
		}
	}
	zero := make([]float64, 12)
	newNewtonSchulz[float64](3, 4).orthogonalise(zero, 5)
	if normSq(zero) != 0 {
		t.Errorf("of a matrix of zeros: %v", zero)
	}
}

// muonTwin moves one parameter by the equations of the doc comment: rows×cols elements are
// a matrix outputs×inputs, transposed from this library's, and the others AdamW's.
type muonTwin struct {
	rows, cols int // inputs and outputs
	m, v       []float64
}

func (k *muonTwin) step(c *MuonConfig, t int, rate float64, w, g []float64) {
	if k.m == nil {
		k.m, k.v = make([]float64, len(w)), make([]float64, len(w))
	}
	n := k.rows * k.cols
	u := make([]float64, n)
	for i := range u {
		k.m[i] += (1 - c.Momentum) * (g[i] - k.m[i])
		if u[i] = k.m[i]; c.Nesterov {
			u[i] = g[i] + c.Momentum*(k.m[i]-g[i])
		}
	}
	if n > 0 {
		d := transposed(twinNewtonSchulz(transposed(u, k.rows, k.cols), k.cols, k.rows, c.Steps), k.cols, k.rows)
		scale := math.Sqrt(max(1, float64(k.cols)/float64(k.rows)))
		if c.Scale == ScaleRMS {
			scale = 0.2 * math.Sqrt(float64(max(k.rows, k.cols)))
		}
		for i := range d {
			w[i] = w[i]*(1-rate*c.WeightDecay) - rate*scale*d[i]
		}
	}
	rate *= c.AdamRate / c.LR
	for i := n; i < len(w); i++ {
		k.m[i] = c.Beta1*k.m[i] + (1-c.Beta1)*g[i]
		k.v[i] = c.Beta2*k.v[i] + (1-c.Beta2)*g[i]*g[i]
		mhat, vhat := k.m[i]/(1-math.Pow(c.Beta1, float64(t))), k.v[i]/(1-math.Pow(c.Beta2, float64(t)))
		w[i] = w[i]*(1-rate*c.WeightDecay) - rate*mhat/(math.Sqrt(vhat)+c.Eps)
	}
}

// TestMuonEqualsTwin has matrices with and without a bias, one that AdamW moves, a vector,
// and filters.
func TestMuonEqualsTwin(t *testing.T) {
	for _, c := range []MuonConfig{
		{LR: 0.02, Momentum: 0.95, Nesterov: true, Steps: 5, Scale: ScaleSpectral, AdamRate: 3e-3, Beta1: 0.9, Beta2: 0.95, Eps: 1e-10},
		{LR: 0.1, Momentum: 0.8, Steps: 3, Scale: ScaleRMS, WeightDecay: 0.1, AdamRate: 0.2, Beta1: 0.5, Beta2: 0.9, Eps: 1e-3},
	} {
		c.AdamW = []string{"last"}
		t.Run(c.Scale+"/float32", func(t *testing.T) { muonEqualsTwin[float32](t, &c, 2e-3) })
		t.Run(c.Scale+"/float64", func(t *testing.T) { muonEqualsTwin[float64](t, &c, 1e-9) })
	}
}

func muonEqualsTwin[T apoops.Float](t *testing.T, c *MuonConfig, tolerance float64) {
	rng := rand.New(rand.NewPCG(5, 9))
	draw := func(shape ...int) *tensor.Dense {
		x := make([]T, tensor.Shape(shape).TotalSize())
		for i := range x {
			x[i] = T(rng.NormFloat64())
		}
		return denseOf(x, shape...)
	}
	params := []*graph.Param{
		{Name: "biased", Matrix: true, Bias: true, Value: draw(7, 9)}, {Name: "plain", Matrix: true, Value: draw(8, 5)},
		{Name: "scale", Value: draw(11)}, {Name: "last", Matrix: true, Bias: true, Value: draw(4, 3)}, {Name: "filters", Value: draw(6, 2, 2, 2)},
	}
	blocks := graph.BlockPerParam(params)
	blocks[4].Rows, blocks[4].Cols, blocks[4].Matrix = 6, 8, true
	twins := []*muonTwin{{rows: 6, cols: 9}, {rows: 8, cols: 5}, {}, {}, {rows: 8, cols: 6}}
	r, err := c.Start(&Task{Params: params, Blocks: blocks})
	if err != nil {
		t.Fatal(err)
	}
	descent, err := array.NewDescent(apoops.DtypeOf[T]())
	if err != nil {
		t.Fatal(err)
	}
	rates := slices.Repeat([]float64{c.LR}, len(params))
	want := make([][]float64, len(params))
	for i, p := range params {
		want[i] = numbersOf(p.Value)
	}
	for step := 1; step <= 8; step++ {
		var g []*tensor.Dense
		for i, p := range params {
			g = append(g, draw(p.Value.Shape()...))
			grad := numbersOf(g[i])
			if i == 4 { // of filters outputs are rows
				w := transposed(want[i], 6, 8)
				twins[i].step(c, step, c.LR, w, transposed(grad, 6, 8))
				want[i] = transposed(w, 8, 6)
				continue
			}
			twins[i].step(c, step, c.LR, want[i], grad)
		}
		d, err := r.Directions(Input{T: step, G: g})
		if err != nil {
			t.Fatal(err)
		}
		descent.Move(params, d, rates)
		for i, p := range params {
			if far := math.Sqrt(normSq(minus(numbersOf(p.Value), want[i])) / normSq(want[i])); !(far <= tolerance) {
				t.Fatalf("step %d: %s is off by %.1e", step, p.Name, far)
			}
		}
	}
	if notes := fmt.Sprint(r.Notes()); !strings.Contains(notes, "AdamW for scale, last") {
		t.Errorf("notes %s", notes)
	}
}

func TestMuonNamesUnknownParameter(t *testing.T) {
	c := Muon(0.1)
	c.AdamW = []string{"dense9"}
	_, err := c.Start(&Task{Params: []*graph.Param{{Name: "w", Value: denseOf([]float64{1}, 1)}}})
	if err == nil || !strings.Contains(err.Error(), `"dense9"`) {
		t.Errorf("error %v", err)
	}
}
