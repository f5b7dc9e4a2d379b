package layers

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// MultiHeadAttention is attention with learned projections (Vaswani et al. 2017,
// Section 3.2.2):
//
//	y = attention(x·W_q, m·W_k, m·W_v)·W_o
//
// of the queries x, (N·Tq)×Width, and the memory m, (N·Tk)×Width. The projections have
// biases, so each is a matrix of (Width+1)×Width. They start from Glorot's
// initialisation, those of queries, keys and values divided by √2 as in fairseq.
type MultiHeadAttention struct {
	Width, Heads int
	// Dropout is the rate of dropout on the weights.
	Dropout float64
}

// AttentionMask says which rows are sentences and which keys are seen.
type AttentionMask struct {
	// Examples is N, the number of sentences.
	Examples int
	// Lengths are the numbers of keys of each sentence that are seen, nil for all.
	Lengths *gorgonia.Node
	// Causal hides the keys behind each query.
	Causal bool

	// observe is handed the weights where it is set.
	observe func(weights *gorgonia.Node)
}

// KeyValue are keys and values, (N·Tk)×Width each.
type KeyValue struct{ Keys, Values *gorgonia.Node }

// Kind names the layer.
func (*MultiHeadAttention) Kind() string { return "attention" }

func (a *MultiHeadAttention) projection(gain float64) *DenseLayer {
	d := Dense(a.Width, a.Width, apoops.Identity)
	d.Init = scaled(gain, Glorot())
	return d
}

func (a *MultiHeadAttention) parts() parts {
	qkv := a.projection(math.Sqrt(0.5))
	return parts{{"query", qkv}, {"key", qkv}, {"value", qkv}, {"output", a.projection(1)}}
}

// Params are the matrices query, key, value and output.
func (a *MultiHeadAttention) Params() ([]Spec, error) {
	if a.Heads < 1 || a.Width%a.Heads != 0 {
		return nil, errors.Errorf("%d heads do not divide the width %d", a.Heads, a.Width)
	}
	if err := checkRate(a.Dropout); err != nil {
		return nil, err
	}
	specs, err := a.parts().params()
	for i := range specs {
		specs[i].Kind = a.Kind()
	}
	return specs, err
}

// Apply builds y. x and memory are one node in self-attention.
func (a *MultiHeadAttention) Apply(p *graph.Pass, x, memory *gorgonia.Node, m AttentionMask, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	kv, err := a.Project(memory, theta)
	if err != nil {
		return nil, err
	}
	return a.ApplyTo(p, x, kv, m, theta)
}

// Project builds the keys and values of a memory.
func (a *MultiHeadAttention) Project(memory *gorgonia.Node, theta gorgonia.Nodes) (kv KeyValue, err error) {
	if kv.Keys, err = apoops.Dense(memory, theta[1], apoops.Identity); err != nil {
		return kv, err
	}
	kv.Values, err = apoops.Dense(memory, theta[2], apoops.Identity)
	return kv, err
}

// ApplyTo builds y from given keys and values.
func (a *MultiHeadAttention) ApplyTo(p *graph.Pass, x *gorgonia.Node, kv KeyValue, m AttentionMask, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	q, err := apoops.Dense(x, theta[0], apoops.Identity)
	if err != nil {
		return nil, err
	}
	s := apoops.AttentionSettings{Examples: m.Examples, Heads: a.Heads, Causal: m.Causal}
	if p.Training() && a.Dropout > 0 {
		s.Dropout, s.Random, s.Stream = a.Dropout, p.Random, p.NextStream()
	}
	if m.observe != nil {
		w, err := apoops.AttentionWeights(q, kv.Keys, m.Lengths, s)
		if err != nil {
			return nil, err
		}
		m.observe(w)
	}
	y, err := apoops.Attention(q, kv.Keys, kv.Values, m.Lengths, s)
	if err != nil {
		return nil, err
	}
	return apoops.Dense(y, theta[3], apoops.Identity)
}

// checkRate reports a rate of dropout outside [0, 1).
func checkRate(rate float64) error {
	if !(rate >= 0 && rate < 1) {
		return errors.Errorf("dropout at a rate of %v: must be from 0 to less than 1", rate)
	}
	return nil
}
