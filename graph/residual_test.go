package graph

import (
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// residual is a model of the tests for images of 2 channels: a convolution, batch
// norm with running statistics, pooling, a residual block whose shortcut forks the
// gradient, and a dense layer.
type residual struct{ classes int }

const residualChannels = 4

func (m residual) Init(seed uint64, dt tensor.Dtype) ([]*Param, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	const c = residualChannels
	params := []*Param{
		{Name: "conv0", Value: random(rng, 0.4, 2*9+1, c), Matrix: true},
		{Name: "conv1", Value: random(rng, 0.3, c*9+1, c), Matrix: true},
		{Name: "conv2", Value: random(rng, 0.3, c*9+1, c), Matrix: true},
		{Name: "dense", Value: random(rng, 0.5, c+1, m.classes), Matrix: true},
	}
	for _, name := range []string{"bn0", "bn1"} {
		params = append(params,
			&Param{Name: name + "/scale", Value: random(rng, 1, c)},
			&Param{Name: name + "/shift", Value: random(rng, 1, c)},
			&Param{Name: name + "/mean", Value: random(rng, 1, c), Statistic: true},
			&Param{Name: name + "/variance", Value: tensor.New(tensor.WithShape(c), tensor.WithBacking([]float64{1, 2, 1, 0.5})), Statistic: true})
	}
	if dt == tensor.Float32 {
		for _, p := range params {
			p.Value = narrow(p.Value)
		}
	}
	return params, nil
}

func (m residual) Output(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	conv := apoops.Conv{Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}
	norm := func(x *gorgonia.Node, bn gorgonia.Nodes, act apoops.Activation) (*gorgonia.Node, error) {
		if !p.Training() {
			return apoops.BatchNormWith(x, bn[0], bn[1], bn[2], bn[3], 1e-3, act)
		}
		y, mean, variance, err := apoops.BatchNorm(x, bn[0], bn[1], 1e-3, act)
		p.Track(bn[2], mean, 0.1)
		p.Track(bn[3], variance, 0.1)
		return y, err
	}
	var err error
	then := func(f func(*gorgonia.Node) (*gorgonia.Node, error), h *gorgonia.Node) *gorgonia.Node {
		if err != nil {
			return nil
		}
		h, err = f(h)
		return h
	}
	convolve := func(i int) func(*gorgonia.Node) (*gorgonia.Node, error) {
		return func(h *gorgonia.Node) (*gorgonia.Node, error) { return apoops.Conv2D(h, theta[i], conv) }
	}
	h := then(convolve(0), x[0])
	h = then(func(h *gorgonia.Node) (*gorgonia.Node, error) { return norm(h, theta[4:8], apoops.ReLUAct) }, h)
	h = then(func(h *gorgonia.Node) (*gorgonia.Node, error) {
		return apoops.MaxPool2D(h, apoops.Pool{Kernel: [2]int{2, 2}})
	}, h)
	shortcut := h
	h = then(convolve(1), h)
	h = then(func(h *gorgonia.Node) (*gorgonia.Node, error) { return norm(h, theta[8:12], apoops.TanhAct) }, h)
	h = then(convolve(2), h)
	h = then(func(h *gorgonia.Node) (*gorgonia.Node, error) {
		return apoops.AddActivate(h, shortcut, apoops.ReLUAct)
	}, h)
	h = then(apoops.GlobalAvgPool2D, h)
	h = then(func(h *gorgonia.Node) (*gorgonia.Node, error) { return apoops.Dense(h, theta[3], apoops.Identity) }, h)
	return h, err
}
