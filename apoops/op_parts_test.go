package apoops

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// partCases are ops that run part by part, of two operands.
var partCases = map[string]func(a, b *gorgonia.Node) (*gorgonia.Node, error){
	"add":       func(a, b *gorgonia.Node) (*gorgonia.Node, error) { return Add(a, b, a) },
	"residual":  func(a, b *gorgonia.Node) (*gorgonia.Node, error) { return AddActivate(a, b, ReLUAct) },
	"relu grad": func(a, b *gorgonia.Node) (*gorgonia.Node, error) { return activationGradient(ReLUAct, a, b) },
	"product":   Product,
	"relu":      func(a, _ *gorgonia.Node) (*gorgonia.Node, error) { return ReLU(a) },
	"leaky":     func(a, _ *gorgonia.Node) (*gorgonia.Node, error) { return LeakyReLU(a, 0.1) },
	"cast":      func(a, _ *gorgonia.Node) (*gorgonia.Node, error) { return Cast16(a, BFloat16) },
	"times":     func(a, _ *gorgonia.Node) (*gorgonia.Node, error) { return Times(a, 0.7) },
	"reshape":   func(a, _ *gorgonia.Node) (*gorgonia.Node, error) { return Reshape(a, 1, a.Shape()[0]) },
	"unscale": func(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
		return Unscale(a, gorgonia.NewConstant(float32(8)))
	},
}

// TestParts gives ops that run part by part numbers of all bit patterns: NaNs, infinities
// and subnormal ones too. Whatever is packed, and wherever the last part ends, the result
// is that of the op on whole arrays of float32, rounded.
func TestParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 7))
	for name, build := range partCases {
		for _, f := range formats {
			for _, n := range []int{1, 31, partSize - 1, partSize, par.Grain + partSize + 7} {
				bits := [2][]uint16{make([]uint16, n), make([]uint16, n)}
				for i := range n {
					bits[0][i], bits[1][i] = uint16(rng.Uint32()), uint16(rng.Uint32())
				}
				for _, packed := range [][2]bool{{true, true}, {true, false}, {false, true}} {
					checkParts(t, fmt.Sprintf("%s of %d %v, packed %v", name, n, f, packed), build, f, bits, packed)
				}
			}
		}
	}
}

func checkParts(t *testing.T, name string, build func(a, b *gorgonia.Node) (*gorgonia.Node, error), f Format, bits [2][]uint16, packed [2]bool) {
	t.Helper()
	n := len(bits[0])
	run := func(keep Keeping) *tensor.Dense {
		g := gorgonia.NewGraph()
		var in gorgonia.Nodes
		values := make(map[*gorgonia.Node]gorgonia.Value)
		for i, operand := range []string{"a", "b"} {
			node := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithShape(n), gorgonia.WithName(operand))
			if in = append(in, node); keep == KeepPacked && packed[i] {
				values[node] = tensor.New(tensor.WithShape(n), tensor.WithBacking(bits[i]))
				continue
			}
			x := make([]float32, n)
			half.Expand(f, x, bits[i])
			values[node] = tensor.New(tensor.WithShape(n), tensor.WithBacking(x))
		}
		out, err := build(in[0], in[1])
		if err != nil {
			t.Fatal(err)
		}
		if keep != KeepSingle {
			if err := out.Op().(Rounder).RoundResult(f, keep); err != nil {
				t.Fatal(err)
			}
		}
		var operands []gorgonia.Value
		for _, o := range Operands(out) {
			if v, ok := values[o]; ok {
				operands = append(operands, v)
			} else {
				operands = append(operands, o.Value())
			}
		}
		v, err := out.Op().Do(operands...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return v.(*tensor.Dense)
	}
	alone, rounded, got := run(KeepSingle), run(KeepRounded), run(KeepPacked)
	numbers := meaningOf(f, got)
	for i, want := range alone.Float32s() {
		if got.Dtype() == tensor.Uint16 {
			want = Round16(f, want)
		}
		if x := numbers[i]; !sameFloat(x, float64(want)) || !sameFloat(float64(rounded.Float32s()[i]), float64(want)) {
			t.Fatalf("%s: element %d is %v, rounded %v, not %v", name, i, x, rounded.Float32s()[i], want)
		}
	}
}
