package apoops

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
)

// blockCases are graphs with the ops that take images in blocks of channels.
func blockCases() []roundedCase {
	type integers = func(below int, shape ...int) *gorgonia.Node
	var all []roundedCase
	add := func(name string, shape []int, f func(x *gorgonia.Node, n nodes) (*gorgonia.Node, error)) {
		all = append(all, roundedCase{name, func(n nodes, _ integers) (*gorgonia.Node, error) {
			x, err := Times(n(shape...), 1.5) // computed, so that its gradient is wanted
			if err != nil {
				return nil, err
			}
			return f(x, n)
		}})
	}
	for _, act := range []Activation{Identity, ReLUAct, TanhAct, RectifyAct} {
		add("norm "+act.String(), []int{19, 32, 5, 7}, func(x *gorgonia.Node, n nodes) (*gorgonia.Node, error) {
			y, _, _, err := BatchNorm(x, n(32), n(32), 1e-3, act)
			return y, err
		})
		add("given norm "+act.String(), []int{3, 16, 13, 14}, func(x *gorgonia.Node, n nodes) (*gorgonia.Node, error) {
			return BatchNormWith(x, n(16), n(16), n(16), n(16), 1e-3, act)
		})
		add("add "+act.String(), []int{2, 16, 3, 5}, func(x *gorgonia.Node, n nodes) (*gorgonia.Node, error) {
			y, err := AddActivate(x, n(2, 16, 3, 5), act)
			if err != nil {
				return nil, err
			}
			return Add(y, x, y)
		})
		for _, s := range [][3]int{{16, 32, 1}, {16, 20, 2}, {5, 48, 1}, {32, 32, 2}, {7, 9, 1}} {
			add(fmt.Sprintf("conv %v %v", act, s), []int{3, s[0], 6, 7}, func(x *gorgonia.Node, n nodes) (*gorgonia.Node, error) {
				return Conv2D(x, n(s[0]*9+1, s[1]), Conv{Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}, Stride: [2]int{s[2], s[2]}, Activation: act})
			})
		}
	}
	add("relu", []int{2, 16, 5, 5}, func(x *gorgonia.Node, _ nodes) (*gorgonia.Node, error) { return ReLU(x) })
	add("leaky relu", []int{2, 16, 5, 5}, func(x *gorgonia.Node, _ nodes) (*gorgonia.Node, error) { return LeakyReLU(x, 0.1) })
	add("pool", []int{3, 32, 5, 4}, func(x *gorgonia.Node, _ nodes) (*gorgonia.Node, error) { return GlobalAvgPool2D(x) })
	for _, channels := range []int{16, 48} {
		add("subsample", []int{3, 16, 5, 4}, func(x *gorgonia.Node, _ nodes) (*gorgonia.Node, error) { return Subsample(x, 2, channels) })
	}
	return all
}

// reordered is a value with its images in blocks of channels, or back in plain ones.
func reordered(v gorgonia.Value, back bool) gorgonia.Value {
	a := v.(*tensor.Dense)
	if a.Dtype() == tensor.Uint16 {
		return tensor.New(tensor.WithShape(a.Shape()...), tensor.WithBacking(reorderedData(a.Uint16s(), a.Shape(), back)))
	}
	return tensor.New(tensor.WithShape(a.Shape()...), tensor.WithBacking(reorderedData(a.Float32s(), a.Shape(), back)))
}

func reorderedData[E any](x []E, s tensor.Shape, back bool) []E {
	c, size := s[1], s[2]*s[3]
	y := make([]E, len(x))
	for i := range x {
		image, channel, at := i/(c*size), i/size%c, i%size
		j := ((image*c/dnn.Block+channel/dnn.Block)*size+at)*dnn.Block + channel%dnn.Block
		if back {
			y[i] = x[j]
		} else {
			y[j] = x[i]
		}
	}
	return y
}

// sums are the kinds of ops that add up over positions in another order.
var sums = []string{"apoops.batchMoments", "apoops.batchNormGrad", "apoops.batchNormScale", "apoops.batchNormShift", "apoops.globalAvgPool"}

func addsUp(op gorgonia.Op) bool {
	for _, name := range sums {
		if strings.HasPrefix(fmt.Sprint(op), name) && !strings.HasPrefix(fmt.Sprint(op), "apoops.globalAvgPoolGrad") {
			return true
		}
	}
	return false
}

// TestBlocks runs ops on images in blocks of channels, all that may be and those of one
// number: the bits are those of plain images, apart from rounding where an op adds up. In
// 16 bits likewise, and nothing is allocated.
func TestBlocks(t *testing.T) {
	if err := dnn.Blocks(); err != nil {
		t.Skip(err)
	}
	name, err := blas.Use()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, c := range blockCases() {
		for _, low := range []bool{false, true} {
			for _, f := range formats {
				if !low && f != formats[0] {
					continue
				}
				checkBlocks(t, c, f, low, name == "gonum", seen)
			}
		}
	}
	if len(seen) < 16 {
		t.Errorf("only %d kinds of ops ran on blocks: %v", len(seen), seen)
	}
}

func checkBlocks(t *testing.T, c roundedCase, f Format, low, allocates bool, seen map[string]bool) {
	t.Helper()
	plain, blocks := newWorld(t, c), newWorld(t, c)
	for i, n := range plain.nodes {
		if n.Op() == nil {
			continue
		}
		other, ok := blocks.nodes[i].Op().(Blocker)
		if low && ok {
			for _, r := range []gorgonia.Op{n.Op(), other} {
				if err := r.(Rounder).RoundResult(f, KeepPacked); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !ok { // of Gorgonia's
			for _, o := range Operands(n) {
				plain.values[o] = unpacked(f, plain.values[o])
			}
			plain.step(t, n)
			continue
		}
		want := plain.step(t, n)
		numbers, _ := other.Blocks()
		in := plain.operands(n)
		for _, number := range []int{0, 1, 2} { // 0: all
			on, some := make([]bool, len(numbers)), false
			operands := append([]gorgonia.Value(nil), in...)
			for j, m := range numbers {
				on[j] = m != 0 && (number == 0 || m == number)
				some = some || on[j]
				if on[j] && j < len(in) {
					operands[j] = reordered(in[j], false)
				}
			}
			if !some && number > 0 {
				continue
			}
			op := other
			if number > 0 {
				if _, side := kernelOf(other).(*sideResult[float32]); side {
					continue // a clone's kernel is that of nothing
				}
				op = other.Clone(nil).(Blocker)
				if low {
					if err := op.(Rounder).RoundResult(f, KeepPacked); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := op.SetBlocks(on); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			got, err := op.Do(operands...)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if on[len(in)] {
				got = reordered(got, true)
			}
			if some {
				seen[strings.Split(fmt.Sprint(op), "(")[0]] = true
			}
			compareBlocks(t, fmt.Sprintf("%s, 16 bits %v %v, %v, %v", c.name, low, f, op, on), f, meaningOf(f, got), meaningOf(f, want), addsUp(op), low)
			if allocates || raceEnabled {
				continue
			}
			if a := testing.AllocsPerRun(5, func() { _, err = op.Do(operands...) }); err != nil || a != 0 && allocations(func() { _, err = op.Do(operands...) }) != 0 {
				t.Errorf("%s: %v, %v: %v allocations a run, %v", c.name, op, on, a, err)
			}
		}
	}
}

func compareBlocks(t *testing.T, what string, f Format, got, want []float64, rounding, low bool) {
	t.Helper()
	var scale float64
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i, v := range want {
		bound := 0.0
		if rounding {
			bound = 2e-6 * scale
			if low {
				bound += math.Abs(v) / 128
			}
		}
		if !(math.Abs(got[i]-v) <= bound) {
			t.Fatalf("%s: element %d is %v, plain %v", what, i, got[i], v)
		}
	}
}

// TestSetBlocksRefuses: plain arrays alone, and those of one number, cannot be told apart.
func TestSetBlocksRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	image := func(name string, channels int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(2, channels, 3, 3), gorgonia.WithName(name))
	}
	for _, c := range []struct {
		channels int
		on       []bool
		ok       bool
	}{
		{16, []bool{true, true, true}, true}, {16, []bool{false, false, false}, true}, {16, []bool{true, false, true}, false},
		{16, []bool{true, true}, false}, {12, []bool{true, true, true}, false},
	} {
		sum, err := AddActivate(image("a", c.channels), image("b", c.channels), ReLUAct)
		if err != nil {
			t.Fatal(err)
		}
		if err := sum.Op().(Blocker).SetBlocks(c.on); (err == nil) != c.ok {
			t.Errorf("%d channels, %v: %v", c.channels, c.on, err)
		}
	}
}
