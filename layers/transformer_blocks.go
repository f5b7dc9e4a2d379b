package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Block has the settings of a block of a Transformer (Vaswani et al. 2017, Section
// 3.1). Each of its sublayers f is
//
//	y = norm(x + dropout(f(x)))      or, with PreNorm,
//	y = x + dropout(f(norm(x)))
//
// x is (N·T)×Width, row n·T+t the position t of sentence n.
type Block struct {
	Width, Heads int
	// FeedForward is the number of hidden units of the sublayer
	// max(x·W_1 + b_1, 0)·W_2 + b_2.
	FeedForward int
	// Dropout is the rate of dropout on the output of each sublayer, AttentionDropout
	// that on the weights of attention.
	Dropout, AttentionDropout float64
	PreNorm                   bool
}

// EncoderBlock is self-attention and a feed-forward net. With a causal mask it is the
// block of a language model.
type EncoderBlock struct{ Block }

// DecoderBlock is causal self-attention, attention to a memory, and a feed-forward net.
type DecoderBlock struct{ Block }

func (b Block) attention() *MultiHeadAttention {
	return &MultiHeadAttention{Width: b.Width, Heads: b.Heads, Dropout: b.AttentionDropout}
}

func (b Block) dense(inputs, outputs int, act apoops.Activation) *DenseLayer {
	d := Dense(inputs, outputs, act)
	d.Init = Glorot()
	return d
}

// Names of the parts of a block.
const (
	selfAttention  = "attention"
	crossAttention = "cross"
	hidden, linear = "dense0", "dense1"
)

var blockNorms = [...]string{"norm0", "norm1", "norm2"}

func (b Block) feedForward() parts {
	return parts{{hidden, b.dense(b.Width, b.FeedForward, apoops.ReLUAct)}, {linear, b.dense(b.FeedForward, b.Width, apoops.Identity)}}
}

// parts are a block's: attention of each name, the feed-forward net, and behind each of
// these sublayers its normalisation.
func (b Block) parts(attention ...string) (all parts) {
	for i, name := range attention {
		all = append(all, part{name, b.attention()}, part{blockNorms[i], LayerNorm(b.Width)})
	}
	return append(append(all, b.feedForward()...), part{blockNorms[len(attention)], LayerNorm(b.Width)})
}

func (b Block) params(all parts) ([]Spec, error) {
	if err := checkRate(b.Dropout); err != nil {
		return nil, err
	}
	return all.params()
}

func (b EncoderBlock) parts() parts { return b.Block.parts(selfAttention) }
func (b DecoderBlock) parts() parts { return b.Block.parts(selfAttention, crossAttention) }

// Params are those of attention, norm0, dense0, dense1 and norm1.
func (b EncoderBlock) Params() ([]Spec, error) { return b.params(b.parts()) }

// Params are those of attention, norm0, cross, norm1, dense0, dense1 and norm2.
func (b DecoderBlock) Params() ([]Spec, error) { return b.params(b.parts()) }

// sublayer builds one sublayer with the normalisation norm.
func (b Block) sublayer(p *graph.Pass, x *gorgonia.Node, norm gorgonia.Nodes, f func(x *gorgonia.Node) (*gorgonia.Node, error)) (*gorgonia.Node, error) {
	normalize := func(x *gorgonia.Node) (*gorgonia.Node, error) { return LayerNorm(b.Width).Apply(p, x, norm) }
	in := x
	var err error
	if b.PreNorm {
		if in, err = normalize(x); err != nil {
			return nil, err
		}
	}
	y, err := f(in)
	if err != nil {
		return nil, err
	}
	if y, err = Dropout(b.Dropout).Apply(p, y, nil); err != nil {
		return nil, err
	}
	if y, err = apoops.Add(x, y); err != nil || b.PreNorm {
		return y, err
	}
	return normalize(y)
}

// feed builds the sublayer of the feed-forward net.
func (b Block) feed(p *graph.Pass, x *gorgonia.Node, norm gorgonia.Nodes, of map[string]gorgonia.Nodes) (*gorgonia.Node, error) {
	return b.sublayer(p, x, norm, func(x *gorgonia.Node) (*gorgonia.Node, error) {
		h, err := apoops.Dense(x, of[hidden][0], apoops.ReLUAct)
		if err != nil {
			return nil, err
		}
		return apoops.Dense(h, of[linear][0], apoops.Identity)
	})
}

// attend builds self-attention of the inputs of its sublayer. It is what differs
// between a pass over whole sentences and a step of one position.
type attend func(a *MultiHeadAttention, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error)

// masked is the attend of whole sentences.
func masked(p *graph.Pass, m AttentionMask) attend {
	return func(a *MultiHeadAttention, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
		return a.Apply(p, x, x, m, theta)
	}
}

// Apply builds the block's output. theta has a node for each of Params.
func (b EncoderBlock) Apply(p *graph.Pass, x *gorgonia.Node, m AttentionMask, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return b.apply(p, x, masked(p, m), theta)
}

func (b EncoderBlock) apply(p *graph.Pass, x *gorgonia.Node, self attend, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	of, err := b.parts().cut(theta)
	if err != nil {
		return nil, err
	}
	x, err = b.sublayer(p, x, of[blockNorms[0]], func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return self(b.attention(), x, of[selfAttention])
	})
	if err != nil {
		return nil, err
	}
	return b.feed(p, x, of[blockNorms[1]], of)
}

// Memory builds the keys and values of the block's attention to a memory.
func (b DecoderBlock) Memory(memory *gorgonia.Node, theta gorgonia.Nodes) (KeyValue, error) {
	of, err := b.parts().cut(theta)
	if err != nil {
		return KeyValue{}, err
	}
	return b.attention().Project(memory, of[crossAttention])
}

// Apply builds the block's output from whole sentences x, N of them, and the keys and
// values of a memory of N sentences, of which memory.Lengths positions are seen.
func (b DecoderBlock) Apply(p *graph.Pass, x *gorgonia.Node, kv KeyValue, memory AttentionMask, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return b.apply(p, x, masked(p, AttentionMask{Examples: memory.Examples, Causal: true}), kv, memory, theta)
}

func (b DecoderBlock) apply(p *graph.Pass, x *gorgonia.Node, self attend, kv KeyValue, memory AttentionMask, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	of, err := b.parts().cut(theta)
	if err != nil {
		return nil, err
	}
	x, err = b.sublayer(p, x, of[blockNorms[0]], func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return self(b.attention(), x, of[selfAttention])
	})
	if err != nil {
		return nil, err
	}
	x, err = b.sublayer(p, x, of[blockNorms[1]], func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return b.attention().ApplyTo(p, x, kv, memory, of[crossAttention])
	})
	if err != nil {
		return nil, err
	}
	return b.feed(p, x, of[blockNorms[2]], of)
}
