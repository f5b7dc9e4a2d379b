package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/dnn"
)

// wide is a residual net with 16, 32 and, where blocks end, 20 channels, and shortcuts of both kinds.
type wide struct{ classes int }

var wideConvs = []struct {
	in, out, kernel, stride int
	act                     apoops.Activation
}{
	{2, 16, 3, 1, apoops.Identity}, {16, 16, 3, 1, apoops.ReLUAct}, {16, 16, 3, 1, apoops.Identity},
	{16, 32, 3, 2, apoops.Identity}, {32, 32, 3, 1, apoops.TanhAct}, {16, 32, 1, 2, apoops.Identity},
	{32, 20, 1, 1, apoops.RectifyAct},
}

func (m wide) Init(seed uint64, dt tensor.Dtype) ([]*Param, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	var params []*Param
	for i, c := range wideConvs {
		params = append(params, &Param{Name: fmt.Sprintf("conv%d", i), Value: random(rng, 0.2, c.in*c.kernel*c.kernel+1, c.out), Matrix: true})
	}
	params = append(params, &Param{Name: "dense", Value: random(rng, 0.5, 21, m.classes), Matrix: true})
	for i, channels := range []int{16, 16, 32} {
		ones := tensor.New(tensor.WithShape(channels), tensor.WithBacking(make([]float64, channels)))
		for j := range channels {
			ones.Float64s()[j] = 1 + float64(j)/8
		}
		params = append(params,
			&Param{Name: fmt.Sprintf("scale%d", i), Value: random(rng, 1, channels)}, &Param{Name: fmt.Sprintf("shift%d", i), Value: random(rng, 1, channels)},
			&Param{Name: fmt.Sprintf("mean%d", i), Value: random(rng, 1, channels), Statistic: true}, &Param{Name: fmt.Sprintf("variance%d", i), Value: ones, Statistic: true})
	}
	if dt == tensor.Float32 {
		for _, p := range params {
			p.Value = narrow(p.Value)
		}
	}
	return params, nil
}

func (m wide) Output(p *Pass, in, theta gorgonia.Nodes) (h *gorgonia.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	get := func(n *gorgonia.Node, err error) *gorgonia.Node {
		if err != nil {
			panic(err)
		}
		return n
	}
	conv := func(i int, h *gorgonia.Node) *gorgonia.Node {
		c := wideConvs[i]
		pad := c.kernel / 2
		return get(apoops.Conv2D(h, theta[i], apoops.Conv{Kernel: [2]int{c.kernel, c.kernel}, Stride: [2]int{c.stride, c.stride}, Pad: [2]int{pad, pad}, Activation: c.act}))
	}
	norm := func(i int, h *gorgonia.Node, act apoops.Activation) *gorgonia.Node {
		bn := theta[len(wideConvs)+1+4*i:]
		if !p.Training() {
			return get(apoops.BatchNormWith(h, bn[0], bn[1], bn[2], bn[3], 1e-3, act))
		}
		y, mean, variance, err := apoops.BatchNorm(h, bn[0], bn[1], 1e-3, act)
		p.Track(bn[2], mean, 0.1)
		p.Track(bn[3], variance, 0.1)
		return get(y, err)
	}
	h = norm(0, conv(0, in[0]), apoops.ReLUAct)
	h = get(apoops.AddActivate(norm(1, conv(2, conv(1, h)), apoops.Identity), h, apoops.ReLUAct))
	short := get(apoops.Add(get(apoops.Subsample(h, 2, 32)), conv(5, h)))
	h = norm(2, conv(3, h), apoops.TanhAct)
	h = get(apoops.Times(get(apoops.AddActivate(conv(4, h), short, apoops.ReLUAct)), 0.5))
	h = get(apoops.GlobalAvgPool2D(get(apoops.ReLU(conv(6, h)))))
	return get(apoops.Dense(h, theta[len(wideConvs)], apoops.Identity)), nil
}

// wideRoles are graphs of every kind of that net, stored in the given way.
func wideRoles(s Storage) []role {
	pr := images(rand.New(rand.NewPCG(41, 1)), tensor.Float32, 3)
	return rolesOf("wide", tensor.Float32, pr, func(t *testing.T) (Source, []*Param, Model) {
		params, err := wide{3}.Init(9, tensor.Float32)
		must(t, err)
		return Objective{Model: wide{3}, Loss: pr.loss, Storage: s}, params, wide{3}
	})
}

// withBlocks builds a role with images in blocks where on is set.
func withBlocks(t *testing.T, r role, on bool) *compiled {
	defer func(before bool) { blocking = before }(blocking)
	blocking = on
	return r.build(t)
}

// TestBlocksChangeNothing runs graphs of every kind with images in blocks of channels and
// without. Convolutions and what works by element have the same bits; sums of batch norm
// and of the pool over positions are of the same terms in another order.
func TestBlocksChangeNothing(t *testing.T) {
	if err := dnn.Blocks(); err != nil {
		t.Skip(err)
	}
	for _, s := range []struct {
		Storage
		tolerance float64
	}{{Storage{}, 2e-5}, {Storage{Low: true, Format: apoops.Float16}, 0.02}, {Storage{Low: true, Format: apoops.BFloat16}, 0.1}} {
		for _, r := range wideRoles(s.Storage) {
			t.Run(fmt.Sprintf("%+v/%s", s.Storage, r.name), func(t *testing.T) {
				plain, blocks := withBlocks(t, r, false), withBlocks(t, r, true)
				// Moments are those of plain arrays.
				if n := countBlocks(blocks.program); n < 10 && !strings.HasSuffix(r.name, "curvature") {
					t.Fatalf("%d values are in blocks of channels", n)
				}
				a, b := plain.program.arena, blocks.program.arena
				if memoryOf(b.single) > memoryOf(a.single) || memoryOf(b.packed) > memoryOf(a.packed) {
					t.Error("blocks take more memory")
				}
				for i := range 2 {
					want, got := plain.run(t, i), blocks.run(t, i)
					for j := range want {
						nearScale(t, fmt.Sprintf("step %d, result %d", i, j), got[j], want[j], s.tolerance)
					}
				}
			})
		}
	}
}

// countBlocks is the number of values of a program that are in blocks.
func countBlocks(p *program) (count int) {
	o := ordersOf(p.g, p.values)
	for _, n := range p.g.AllNodes() {
		if o.blocked(n) {
			count++
		}
	}
	return count
}

// memoryOf is the number of elements of a part of an arena.
func memoryOf[T apoops.Element](b block[T]) int {
	seams := b.seams()
	return seams[len(seams)-1]
}

func nearScale(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	var scale float64
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i, v := range want {
		if same := got[i] == v || got[i] != got[i] && v != v; !same && !(math.Abs(got[i]-v) <= tolerance*scale) {
			t.Fatalf("%s: element %d is %v, want %v (of at most %v)", what, i, got[i], v, scale)
		}
	}
}

// TestBlocksOfBits: packed numbers of 16 bits in blocks give the bits of rounded ones in
// arrays of float32.
func TestBlocksOfBits(t *testing.T) {
	for _, f := range []apoops.Format{apoops.Float16, apoops.BFloat16} {
		packed := wideRoles(Storage{Low: true, Format: f})
		for i, r := range wideRoles(Storage{Low: true, Format: f, Emulated: true}) {
			t.Run(f.String()+"/"+r.name, func(t *testing.T) {
				a, b := packed[i].build(t), r.build(t)
				for step := range 2 {
					want, got := a.run(t, step), b.run(t, step)
					for j := range want {
						equalBits(t, fmt.Sprintf("step %d, result %d", step, j), got[j], want[j])
					}
				}
			})
		}
	}
}
