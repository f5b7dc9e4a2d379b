package batch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// drawnSentences have lengths like those of spoken sentences, in tokens: sentence i begins
// with the token i+3.
func drawnSentences(n int, seed uint64) (source, target [][]int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		length := 2 + int(20*rng.ExpFloat64())%100
		sentence := func(n int) []int {
			ids := make([]int, n)
			for j := range ids {
				ids[j] = 3 + rng.IntN(50)
			}
			ids[0] = i + 3
			return ids
		}
		source = append(source, sentence(length))
		target = append(target, sentence(max(1, length+rng.IntN(5)-2)))
	}
	return source, target
}

func newTokens(t *testing.T, n int, c TokenConfig, seed uint64) *TokenBatches {
	t.Helper()
	source, target := drawnSentences(n, 1)
	s, err := NewSentences(source, target, c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewTokenBatches(s, seed)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEpochsHaveAllSentences counts sentences, tokens and shapes over epochs: each batch
// is full and has the shape of a bucket, and only what fills the last comes twice.
func TestEpochsHaveAllSentences(t *testing.T) {
	const n = 700
	b := newTokens(t, n, TokenConfig{Tokens: 500, Buckets: 5}, 7)
	shapes := make(map[string]bool)
	for _, s := range b.set.Shapes() {
		if s[0]*s[1] > 500 || (s[0]+1)*s[1] <= 500 {
			t.Errorf("%d rows of %d tokens", s[0], s[1])
		}
		shapes[fmt.Sprint(tensor.Shape{s[0], s[1]})] = true
	}
	if len(shapes) != 5 {
		t.Errorf("shapes %v", shapes)
	}
	var firsts []string
	for epoch := range 3 {
		seen, rows, first := make(map[int]int), 0, ""
		for i := range b.PerEpoch() {
			x := b.At(epoch*b.PerEpoch() + i)
			if got := fmt.Sprint(x.X[0].Shape()); !shapes[got] || got != fmt.Sprint(x.X[1].Shape()) || got != fmt.Sprint(x.T[0].Shape()) {
				t.Fatalf("shape %s", got)
			}
			length := x.X[0].Shape()[1]
			for r := range x.Len() {
				seen[x.T[0].Ints()[r*length]-3]++
				rows++
			}
			first += fmt.Sprint(x.X[0].Ints()[0], " ")
		}
		if len(seen) != n || rows-n >= 500 {
			t.Errorf("epoch %d: %d of %d sentences in %d rows", epoch, len(seen), n, rows)
		}
		firsts = append(firsts, first)
	}
	if firsts[0] == firsts[1] || firsts[1] == firsts[2] {
		t.Error("epochs have the same order")
	}
}

// TestLayoutOfSentences has the arrays written out.
func TestLayoutOfSentences(t *testing.T) {
	ints := func(a *tensor.Dense) string { return fmt.Sprint(a.Shape()) + fmt.Sprint(a.Ints()) }
	for _, source := range [][][]int{{{5, 6, 7}}, nil} {
		s, err := NewSentences(source, [][]int{{8, 9}}, TokenConfig{Tokens: 4, Lengths: []int{4}})
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewTokenBatches(s, 1)
		if err != nil {
			t.Fatal(err)
		}
		x := b.At(0)
		got := ints(x.X[len(x.X)-1]) + ints(x.T[0])
		if want := "(1, 4)[1 8 9 0](1, 4)[8 9 2 0]"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if source != nil && ints(x.X[0]) != "(1, 4)[5 6 7 2]" || len(x.X) != 1+len(source) {
			t.Errorf("source %v of %d inputs", ints(x.X[0]), len(x.X))
		}
	}
}

// TestTokenBatchesAreFunctionsOfTheStep resumes in the middle of epochs, out of order and
// in the background.
func TestTokenBatchesAreFunctionsOfTheStep(t *testing.T) {
	c := TokenConfig{Tokens: 300, Buckets: 4}
	text := func(b graph.Batch) string {
		return fmt.Sprint(b.X[0].Shape(), b.X[0].Ints(), b.X[1].Ints(), b.T[0].Ints())
	}
	whole := newTokens(t, 200, c, 3)
	var want []string
	n := 2*whole.PerEpoch() + 3
	for step := range n {
		want = append(want, text(whole.At(step)))
	}
	again := newTokens(t, 200, c, 3)
	for step := n - 1; step >= 0; step-- {
		if text(again.At(step)) != want[step] {
			t.Fatalf("step %d differs", step)
		}
	}
	for _, first := range []int{0, whole.PerEpoch() + 2} {
		stream := again.Stream(context.Background(), first)
		for step := first; step < n; step++ {
			b, err := stream.Next()
			if err != nil {
				t.Fatal(err)
			}
			if text(b) != want[step] {
				t.Fatalf("step %d of the stream differs", step)
			}
		}
		stream.Close()
	}
	if text(newTokens(t, 200, c, 4).At(0)) == want[0] {
		t.Error("another seed, the same batch")
	}
	for step := range n {
		x, err := whole.TildeAt(step)
		if err != nil || !graph.SameShapes(x, whole.At(step).X) {
			t.Fatalf("B' of step %d: %v", step, err)
		}
		if reflect.DeepEqual(x[0].Ints(), whole.At(step).X[0].Ints()) {
			t.Fatalf("B' of step %d is B", step)
		}
	}
}

// TestLeastPadding compares with all choices of lengths.
func TestLeastPadding(t *testing.T) {
	padded := func(count, lengths []int) (tokens int) {
		for l, c := range count {
			for _, to := range lengths {
				if l <= to {
					tokens += c * to
					break
				}
			}
		}
		return tokens
	}
	rng := rand.New(rand.NewPCG(2, 2))
	for range 100 {
		count := make([]int, 3+rng.IntN(8))
		for l := range count {
			count[l] = rng.IntN(5)
		}
		count[0], count[1], count[len(count)-1] = 0, 0, 1
		n := 1 + rng.IntN(4)
		best := 1 << 30
		for set := range 1 << len(count) {
			var lengths []int
			for l := range count {
				if set>>l&1 == 1 {
					lengths = append(lengths, l)
				}
			}
			if len(lengths) > 0 && len(lengths) <= n && lengths[len(lengths)-1] == len(count)-1 {
				best = min(best, padded(count, lengths))
			}
		}
		if got := leastPadding(count, n); padded(count, got) != best || len(got) > n {
			t.Fatalf("%v in %d: %v with %d tokens, not %d", count, n, got, padded(count, got), best)
		}
	}
}

// TestPartsHaveEachSentenceOnce is what Evaluate takes.
func TestPartsHaveEachSentenceOnce(t *testing.T) {
	b := newTokens(t, 300, TokenConfig{Tokens: 400, Buckets: 6}, 1)
	shapes := make(map[string]bool)
	for _, most := range []int{1, 7, 1 << 20} {
		seen := make(map[int]bool)
		clear(shapes)
		for _, rows := range b.set.Parts(most) {
			x := b.set.NewPart(rows)
			b.set.Fill(x, rows, Draw{})
			shapes[fmt.Sprint(x.T[0].Shape())] = true
			if size := x.T[0].Shape().TotalSize(); size > 400 || len(rows) > most {
				t.Fatalf("%d rows, %d tokens", len(rows), size)
			}
			for i, r := range rows {
				if seen[r] || x.T[0].Ints()[i*x.T[0].Shape()[1]] != r+3 {
					t.Fatalf("sentence %d", r)
				}
				seen[r] = true
			}
		}
		if len(seen) != 300 || len(shapes) > 12 {
			t.Errorf("%d sentences in %d shapes", len(seen), len(shapes))
		}
	}
}

func TestBadSentences(t *testing.T) {
	ok := [][]int{{5}, {6, 7}}
	for want, c := range map[string]struct {
		source, target [][]int
		c              TokenConfig
	}{
		"2 source sentences and 1":                 {ok, ok[:1], TokenConfig{}},
		"line 2: the source sentence is empty":     {[][]int{{5}, {}}, ok, TokenConfig{}},
		"line 1: the target sentence is empty":     {nil, [][]int{{}, {5}}, TokenConfig{}},
		"line 2: token 2 of the target sentence":   {nil, [][]int{{5}, {6, 2}}, TokenConfig{}},
		"line 2: the target sentence has 3 tokens": {nil, ok, TokenConfig{MaxLength: 2}},
		"no sentences":                                   {nil, nil, TokenConfig{}},
		"1 were dropped":                                 {nil, ok[1:], TokenConfig{MaxLength: 2, DropLong: true}},
		"more than the padded lengths [2]":               {nil, ok, TokenConfig{Lengths: []int{2}}},
		"padded lengths [4 4]":                           {nil, ok, TokenConfig{Lengths: []int{4, 4}}},
		"sentences up to 9 tokens do not fit into batch": {nil, ok, TokenConfig{Tokens: 8, MaxLength: 9}},
		"each must be positive":                          {nil, ok, TokenConfig{Tokens: -1}},
	} {
		if _, err := NewSentences(c.source, c.target, c.c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
	s, err := NewSentences(ok, ok, TokenConfig{MaxLength: 2, DropLong: true})
	if err != nil || s.Len() != 1 || s.Dropped() != 1 {
		t.Errorf("%d sentences, %d dropped, %v", s.Len(), s.Dropped(), err)
	}
	var none TokenBatches
	if _, err := none.Stream(context.Background(), 0).Next(); err == nil || none.PerEpoch() != 0 || none.At(0).X != nil {
		t.Error("batches that were not made")
	}
	if _, err := NewTokenBatches(nil, 1); err == nil {
		t.Error("no sentences are accepted")
	}
}
