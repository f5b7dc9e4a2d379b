package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// BatchNormLayer normalises each channel of N×C×H×W or N×C (Ioffe & Szegedy 2015):
//
//	y = act(scale·(x - mean)/√(variance + Epsilon) + shift)
//
// Training and its lookahead use the mean and variance of the batch, evaluation uses
// running ones. Where members divide the batch it is a member's part, or all of it with
// graph.Objective.JointNorm (trainers.JointBatchNorm). Each training step updates these by
//
//	running ← running + Rate·(batch - running)
//
// where the variance of the batch is divided by one less than the number of values.
// scale and the running variance start at 1, shift and the running mean at 0. No
// parameter is a matrix.
type BatchNormLayer struct {
	Channels   int
	Activation apoops.Activation
	Epsilon    float64 // 0 or more
	Rate       float64 // from 0 to 1; what PyTorch calls momentum
}

var _ Layer = (*BatchNormLayer)(nil)

// BatchNorm is batch normalisation with Epsilon 1e-5 and Rate 0.1.
func BatchNorm(channels int, act apoops.Activation) *BatchNormLayer {
	return &BatchNormLayer{Channels: channels, Activation: act, Epsilon: 1e-5, Rate: 0.1}
}

// Kind implements Layer.
func (*BatchNormLayer) Kind() string { return "bn" }

// Params implements Layer.
func (b *BatchNormLayer) Params() ([]Spec, error) {
	if b.Channels < 1 {
		return nil, errors.Errorf("%d channels: must be 1 or more", b.Channels)
	}
	if !(b.Rate >= 0 && b.Rate <= 1) {
		return nil, errors.Errorf("rate of the running statistics is %v: must be from 0 to 1", b.Rate)
	}
	s := tensor.Shape{b.Channels}
	return []Spec{
		{Name: "scale", Shape: s, Init: Constant(1)},
		{Name: "shift", Shape: s, Init: Zeros()},
		{Name: "mean", Shape: s, Init: Zeros(), Statistic: true},
		{Name: "variance", Shape: s, Init: Constant(1), Statistic: true},
	}, nil
}

// Apply implements Layer.
func (b *BatchNormLayer) Apply(p *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	scale, shift, mean, variance := theta[0], theta[1], theta[2], theta[3]
	if !p.Training() {
		return apoops.BatchNormWith(x, scale, shift, mean, variance, b.Epsilon, b.Activation)
	}
	y, batchMean, batchVariance, err := b.normalize(p, x, scale, shift)
	if err != nil {
		return nil, err
	}
	p.Track(mean, batchMean, b.Rate)
	p.Track(variance, batchVariance, b.Rate)
	return y, nil
}

// normalize takes the statistics of the batch.
func (b *BatchNormLayer) normalize(p *graph.Pass, x, scale, shift *gorgonia.Node) (y, mean, variance *gorgonia.Node, err error) {
	comm, counts, err := p.JointNorm()
	if err != nil {
		return nil, nil, nil, err
	}
	if comm != nil {
		return apoops.JointBatchNorm(comm, counts, x, scale, shift, b.Epsilon, b.Activation)
	}
	return apoops.BatchNorm(x, scale, shift, b.Epsilon, b.Activation)
}
