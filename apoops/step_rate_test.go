package apoops

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestRateStep(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for _, linear := range []bool{false, true} {
		r := func(in [][]float64) float64 {
			if linear {
				return in[3][0] * in[2][0]
			}
			return in[3][0] * math.Exp(in[2][0])
		}
		opTest{
			name: "rateStep",
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return RateStep(in[0], in[1], in[2], in[3], linear)
			},
			inputs: []*tensor.Dense{randn(rng, 3, 4), randn(rng, 3, 4), randn(rng), randn(rng)},
			wrt:    []int{2},
			want: func(in [][]float64) []float64 {
				out := make([]float64, len(in[0]))
				for i := range out {
					out[i] = in[0][i] - r(in)*in[1][i]
				}
				return out
			},
		}.run(t)
		opTest{
			name: "rateWSD",
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return RateWSD(in[2], in[3], linear, in[:2], nil, nil)
			},
			inputs: []*tensor.Dense{randn(rng, 3, 4), randn(rng, 5), randn(rng), randn(rng)},
			wrt:    []int{2},
			want: func(in [][]float64) []float64 {
				var sum float64
				for _, d := range append(append([]float64{}, in[0]...), in[1]...) {
					sum += d * d
				}
				return []float64{r(in) * r(in) * sum / 2}
			},
		}.run(t)
	}
}

// TestRateStepTangents has two numbers that the direction depends on, away from where it was
// computed.
func TestRateStepTangents(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, linear := range []bool{false, true} {
		r := func(phi, s float64) float64 {
			if linear {
				return s * phi
			}
			return s * math.Exp(phi)
		}
		opTest{
			name: "rateStep with tangents",
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return RateStep(in[0], in[1], in[2], in[3], linear, Tangent{in[4], in[5]}, Tangent{in[6], in[7]})
			},
			inputs: []*tensor.Dense{randn(rng, 3, 4), randn(rng, 3, 4), randn(rng), randn(rng), randn(rng), randn(rng, 3, 4), randn(rng), randn(rng, 3, 4)},
			wrt:    []int{2, 4, 6},
			want: func(in [][]float64) []float64 {
				out := make([]float64, len(in[0]))
				for i := range out {
					out[i] = in[0][i] - r(in[2][0], in[3][0])*(in[1][i]+in[4][0]*in[5][i]+in[6][0]*in[7][i])
				}
				return out
			},
		}.run(t)
		opTest{
			name: "rateWSD with tangents",
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return RateWSD(in[0], in[1], linear, in[4:6], in[2:4], []gorgonia.Nodes{in[6:8], in[8:10]})
			},
			inputs: []*tensor.Dense{randn(rng), randn(rng), randn(rng), randn(rng),
				randn(rng, 3, 4), randn(rng, 5), randn(rng, 3, 4), randn(rng, 5), randn(rng, 3, 4), randn(rng, 5)},
			wrt: []int{0, 2, 3},
			want: func(in [][]float64) []float64 {
				var sum float64
				for i := range 2 {
					for e, d := range in[4+i] {
						d += in[2][0]*in[6+i][e] + in[3][0]*in[8+i][e]
						sum += d * d
					}
				}
				rate := r(in[0][0], in[1][0])
				return []float64{rate * rate * sum / 2}
			},
		}.run(t)
	}
}

// TestRateStepTangentsAtTheirPoint has Δ = 0: the step is that without tangents, bit for
// bit, and the gradients are -r·<t, dθ'> and r²·<d, t>.
func TestRateStepTangentsAtTheirPoint(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	theta, d, tangent, zero := randn(rng, 3, 4), randn(rng, 3, 4), randn(rng, 3, 4), tensor.New(tensor.FromScalar(0.0))
	opTest{
		name: "rateStep at Δ = 0",
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			return RateStep(in[0], in[1], in[2], in[3], false, Tangent{in[4], in[5]})
		},
		inputs: []*tensor.Dense{theta, d, randn(rng), randn(rng), zero, tangent},
		wrt:    []int{2, 4},
		want: func(in [][]float64) []float64 {
			out := make([]float64, len(in[0]))
			for i := range out {
				out[i] = in[0][i] - in[3][0]*math.Exp(in[2][0])*in[1][i]
			}
			return out
		},
	}.run(t)
	opTest{
		name: "rateWSD at Δ = 0",
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			return RateWSD(in[0], in[1], false, in[3:4], in[2:3], []gorgonia.Nodes{in[4:5]})
		},
		inputs: []*tensor.Dense{randn(rng), randn(rng), zero, d, tangent},
		wrt:    []int{0, 2},
		want: func(in [][]float64) []float64 {
			var sum float64
			for e, x := range in[3] {
				x += in[2][0] * in[4][e]
				sum += x * x
			}
			rate := in[1][0] * math.Exp(in[0][0])
			return []float64{rate * rate * sum / 2}
		},
	}.run(t)
}

// TestRateStepBesideTangents has a tangent that overflowed, at Δ = 0: step and discrepancy are
// those without it.
func TestRateStepBesideTangents(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	inputs := []*tensor.Dense{randn(rng, 3), randn(rng, 3), randn(rng), randn(rng), tensor.New(tensor.FromScalar(0.0)),
		tensor.New(tensor.WithShape(3), tensor.WithBacking([]float64{math.Inf(1), math.NaN(), 1}))}
	for name, builds := range map[string][2]func(in gorgonia.Nodes) (*gorgonia.Node, error){
		"rateStep": {
			func(in gorgonia.Nodes) (*gorgonia.Node, error) { return RateStep(in[0], in[1], in[2], in[3], false) },
			func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return RateStep(in[0], in[1], in[2], in[3], false, Tangent{in[4], in[5]})
			},
		},
		"rateWSD": {
			func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return RateWSD(in[2], in[3], false, in[1:2], nil, nil)
			},
			func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return RateWSD(in[2], in[3], false, in[1:2], in[4:5], []gorgonia.Nodes{in[5:6]})
			},
		},
	} {
		var values [2][]float64
		for i, build := range builds {
			values[i], _ = opTest{name: name, build: build}.open(t, inputs, tensor.Float64, inputs[0], false).run(t)
		}
		if !slices.Equal(values[0], values[1]) {
			t.Errorf("%s is %v, without the tangent %v", name, values[1], values[0])
		}
	}
}

// TestRateWSDRefuses lists of tangents that are not those of Δ and the directions.
func TestRateWSDRefuses(t *testing.T) {
	rng, g := rand.New(rand.NewPCG(5, 8)), gorgonia.NewGraph()
	scalar := func(name string) *gorgonia.Node { return inputNode(g, randn(rng), tensor.Float64, name) }
	vector := func(name string) *gorgonia.Node { return inputNode(g, randn(rng, 3), tensor.Float64, name) }
	phi, s, by := scalar("phi"), scalar("s"), gorgonia.Nodes{scalar("by")}
	d, tangents := gorgonia.Nodes{vector("c"), vector("d")}, gorgonia.Nodes{vector("t"), vector("u")}
	if _, err := RateWSD(phi, s, false, d, by, []gorgonia.Nodes{tangents}); err != nil {
		t.Fatal(err)
	}
	for what, lists := range map[string][]gorgonia.Nodes{
		"none": nil, "one too many": {tangents, tangents}, "a short one": {tangents[:1]}, "one of three": {append(tangents, d[0])},
	} {
		if _, err := RateWSD(phi, s, false, d, by, lists); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestUpdatesAndTheirNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 2))
	difference := func(in [][]float64) []float64 {
		out := make([]float64, len(in[0]))
		for i := range out {
			out[i] = in[0][i] - in[1][i]
		}
		return out
	}
	two := []*tensor.Dense{randn(rng, 3, 4), randn(rng, 3, 4)}
	opTest{name: "minus", inputs: two, wrt: []int{0, 1}, want: difference,
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Minus(in[0], in[1]) }}.run(t)
	opTest{name: "lookahead", inputs: two, wrt: []int{1}, want: difference,
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Lookahead(in[0], in[1]) }}.run(t)
	opTest{name: "halfSquaredNorm", inputs: []*tensor.Dense{randn(rng, 3, 4), randn(rng, 7)}, wrt: []int{0, 1},
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return HalfSquaredNorm(in...) },
		want: func(in [][]float64) []float64 {
			var sum float64
			for _, v := range append(append([]float64{}, in[0]...), in[1]...) {
				sum += v * v
			}
			return []float64{sum / 2}
		}}.run(t)
	opTest{name: "segment", inputs: []*tensor.Dense{randn(rng, 4, 5)}, wrt: []int{0},
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Segment(in[0], 3, 2, 4) },
		want:  func(in [][]float64) []float64 { return in[0][3:11] }}.run(t)
	opTest{name: "reshape", inputs: []*tensor.Dense{randn(rng, 4, 6)}, wrt: []int{0},
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Reshape(in[0], 2, 3, 4) },
		want:  func(in [][]float64) []float64 { return in[0] }}.run(t)
}

func TestSimplePreconditioners(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 3))
	opTest{name: "preconditionFull", inputs: []*tensor.Dense{randn(rng, 6, 6), randn(rng, 2, 3)}, wrt: []int{0},
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return PreconditionFull(in[0], in[1]) },
		want: func(in [][]float64) []float64 {
			out := make([]float64, 6)
			for i := range out {
				for j := range out {
					out[i] += in[0][i*6+j] * in[1][j]
				}
			}
			return out
		}}.run(t)
	opTest{name: "preconditionDiagonal", inputs: []*tensor.Dense{randn(rng, 2, 3), randn(rng, 2, 3)}, wrt: []int{0},
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return PreconditionDiagonal(in[0], in[1]) },
		want: func(in [][]float64) []float64 {
			out := make([]float64, 6)
			for i := range out {
				out[i] = in[0][i] * in[0][i] * in[1][i]
			}
			return out
		}}.run(t)
}

func TestScalarPreconditioner(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 4))
	opTest{name: "preconditionDiagonal of one s", inputs: []*tensor.Dense{randn(rng, 1), randn(rng, 2, 3)}, wrt: []int{0},
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return PreconditionDiagonal(in[0], in[1]) },
		want: func(in [][]float64) []float64 {
			out := make([]float64, 6)
			for i := range out {
				out[i] = in[0][0] * in[0][0] * in[1][i]
			}
			return out
		}}.run(t)
}

func TestSegmentRefusesRangesOutside(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))
	for _, lo := range []int{-1, 4} {
		if _, err := Segment(x, lo, 3); err == nil {
			t.Fatalf("elements from %d on were accepted", lo)
		}
	}
}
