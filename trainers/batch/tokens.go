package batch

import (
	"context"
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// TokenBatches serves mini-batches of sentences of about equal length, so that little of
// them is padding. Each padded length has batches of one shape: Sentences.Shapes, 8 by
// default. With 4096 tokens and 8 lengths, 14 to 170, 22% of the places in batches of the
// 7283 pairs of IWSLT'14's validation set are padding (36% with 4 lengths, 18% with 12); of
// Multi30k's 29000, in words, 12%. The difference between source and target is part of it.
//
// The order of the sentences of a bucket, and that of all batches, are drawn for each
// epoch. Sentences that fill no batch of their length go to the next longer one. The last
// batch of the longest is filled with sentences drawn from the whole set, so that each
// epoch has every sentence, few of them twice, and all batches are full.
//
// A batch is a function of the seed and the step alone: a resumed run needs nothing but
// its step, in the middle of an epoch too. At's batches share memory by shape: one is valid
// until the next call of At.
type TokenBatches struct {
	tokenSampler
	buffers map[int]graph.Batch // by bucket
}

// NewTokenBatches serves batches of the sentences.
func NewTokenBatches(s *Sentences, seed uint64) (*TokenBatches, error) {
	if s == nil {
		return nil, errors.New("trainers: no sentences")
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return &TokenBatches{tokenSampler: tokenSampler{set: s, seed: seed, epoch: -1}, buffers: make(map[int]graph.Batch)}, nil
}

// PerEpoch is the number of batches in an epoch, the same for all.
func (t *TokenBatches) PerEpoch() int {
	if t.set == nil {
		return 0
	}
	return t.perEpoch()
}

// At is the mini-batch of a step, counted from 0; negative steps count as 0.
func (t *TokenBatches) At(step int) graph.Batch {
	if t.set == nil {
		return graph.Batch{}
	}
	p := t.plan(step)
	b, ok := t.buffers[p.bucket]
	if !ok {
		b = t.set.padded(len(p.rows), t.set.lengths[p.bucket])
		t.buffers[p.bucket] = b
	}
	t.set.Fill(b, p.rows, Draw{})
	return b
}

// TildeAt is an independent mini-batch for the function-space term of a step, of the shape
// of the step's own: the source for TildeFrom.
func (t *TokenBatches) TildeAt(step int) ([]*tensor.Dense, error) {
	if t.set == nil {
		return nil, errNoSentences
	}
	p := t.plan(step)
	rng := rand.New(rand.NewPCG(t.seed^0x5eed, uint64(max(step, 0))))
	from := t.set.bucket[p.bucket]
	if len(from) == 0 {
		from = p.rows
	}
	rows := make([]int, len(p.rows))
	for i := range rows {
		rows[i] = from[rng.IntN(len(from))]
	}
	b := t.set.padded(len(rows), t.set.lengths[p.bucket])
	t.set.Fill(b, rows, Draw{})
	return b.X, nil
}

// Stream is Batches.Stream.
func (t *TokenBatches) Stream(ctx context.Context, first int) *Stream {
	if t.set == nil {
		return &Stream{err: errNoSentences}
	}
	own := &tokenSampler{set: t.set, seed: t.seed, epoch: -1}
	return newStream(ctx, max(first, 0), func(_ graph.Batch, step int) graph.Batch {
		p := own.plan(step)
		b := own.set.padded(len(p.rows), own.set.lengths[p.bucket])
		own.set.Fill(b, p.rows, Draw{})
		return b
	})
}

var errNoSentences = errors.New("trainers: there are no sentences: make the batches with NewTokenBatches")

// tokenSampler chooses the sentences of mini-batches.
type tokenSampler struct {
	set   *Sentences
	seed  uint64
	epoch int
	plans []tokenPlan // of the epoch
}

// tokenPlan is a batch: its sentences and the number of their padded length.
type tokenPlan struct {
	bucket int
	rows   []int
}

func (t *tokenSampler) perEpoch() (batches int) {
	left := 0
	for i, rows := range t.set.bucket {
		n := t.set.rows(t.set.lengths[i])
		left += len(rows)
		batches += left / n
		left %= n
	}
	if left > 0 {
		batches++
	}
	return batches
}

// plan is the batch of a step.
func (t *tokenSampler) plan(step int) tokenPlan {
	step = max(step, 0)
	n := t.perEpoch()
	if epoch := step / n; epoch != t.epoch {
		t.epoch = epoch
		t.draw()
	}
	return t.plans[step%n]
}

// draw makes the plans of the epoch.
func (t *tokenSampler) draw() {
	rng := rand.New(rand.NewPCG(t.seed, uint64(t.epoch)))
	t.plans = t.plans[:0]
	var left []int // those that filled no batch of a shorter length
	last := len(t.set.bucket) - 1
	for i, rows := range t.set.bucket {
		order := append(left, rows...)
		rng.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
		n := t.set.rows(t.set.lengths[i])
		for ; len(order) >= n; order = order[n:] {
			t.plans = append(t.plans, tokenPlan{i, order[:n:n]})
		}
		left = append([]int(nil), order...)
	}
	if n := t.set.rows(t.set.lengths[last]); len(left) > 0 {
		for len(left) < n {
			left = append(left, rng.IntN(t.set.Len()))
		}
		t.plans = append(t.plans, tokenPlan{last, left})
	}
	rng.Shuffle(len(t.plans), func(a, b int) { t.plans[a], t.plans[b] = t.plans[b], t.plans[a] })
}
