package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// small are nets of all forms, one for each seed.
var small = []layers.TransformerConfig{
	{Encoder: 1, Decoder: 2, Width: 8, Heads: 2, FeedForward: 12, Vocabulary: 11, Shared: true},
	{Encoder: 2, Decoder: 1, Width: 8, Heads: 2, FeedForward: 12, Vocabulary: 9, SourceVocabulary: 13, PreNorm: true},
	{Encoder: 1, Decoder: 1, Width: 8, Heads: 4, FeedForward: 12, Vocabulary: 10, TiedOutput: true, LearnedPositions: 21, Padding: 9},
}

const begin, end = 1, 2

// net draws the weights of a net.
func net(t testing.TB, c layers.TransformerConfig, seed uint64, dt tensor.Dtype) (*layers.TransformerModel, []*graph.Param) {
	t.Helper()
	m := layers.Transformer(c)
	params, err := m.Init(seed, dt)
	if err != nil {
		t.Fatal(err)
	}
	return m, params
}

// sentences draws sources of n lengths up to most.
func draw(rng *rand.Rand, c layers.TransformerConfig, n, most int) (all [][]int) {
	v := cmp.Or(c.SourceVocabulary, c.Vocabulary)
	for range n {
		row := make([]int, 1+rng.IntN(most))
		for j := range row {
			for row[j] = rng.IntN(v); row[j] == c.Padding; {
				row[j] = rng.IntN(v)
			}
		}
		all = append(all, row)
	}
	return all
}

// slow searches one sentence after the other without keeping anything: each step decodes
// the whole target of each hypothesis and sorts all continuations.
type slow struct {
	model  *layers.TransformerModel
	params []*graph.Param
	config Config
	graphs map[[2]int]*graph.Forward
	x      map[[2]int][]*tensor.Dense
}

// next are the log probabilities of the token behind a target.
func (s *slow) next(t *testing.T, source, target []int) []float64 {
	t.Helper()
	of := [2]int{len(source), len(target)}
	if s.graphs[of] == nil {
		s.x[of] = []*tensor.Dense{ints(1, of[0]), ints(1, of[1])}
		f, err := graph.NewForward(s.params, s.x[of], func(p *graph.Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
			y, err := s.model.Output(p, x, theta)
			return gorgonia.Nodes{y}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		s.graphs[of] = f
	}
	copy(s.x[of][0].Ints(), source)
	copy(s.x[of][1].Ints(), target)
	if err := s.graphs[of].Run(); err != nil {
		t.Fatal(err)
	}
	logits, err := apoops.Choose(s.params[0].Value.Dtype(), float64s[float32], float64s[float64])
	if err != nil {
		t.Fatal(err)
	}
	all := logits(s.graphs[of].Result(0))
	row := all[len(all)-s.model.Vocabulary:]
	sum := 0.0
	for _, v := range row {
		sum += math.Exp(v)
	}
	for i := range row {
		row[i] -= math.Log(sum)
	}
	return row
}

func float64s[T apoops.Float](a *tensor.Dense) (all []float64) {
	for _, v := range apoops.Elements[T](a) {
		all = append(all, float64(v))
	}
	return all
}

// search is the definition of the search as doc.go has it.
func (s *slow) search(t *testing.T, source []int) (found []Hypothesis) {
	t.Helper()
	type partial struct {
		tokens []int
		sum    float64
	}
	most := int(max(1, s.config.PerToken*float64(len(source))+s.config.Extra))
	if n := s.model.LearnedPositions; n > 0 {
		most = min(most, n-1)
	}
	source = append(slices.Clone(source), end)
	for live := []partial{{}}; len(live) > 0 && len(found) < s.config.Width; {
		var all []partial
		for _, h := range live {
			for token, p := range s.next(t, source, append([]int{begin}, h.tokens...)) {
				at := len(h.tokens)
				if token == begin || token == s.model.Padding || token == end && at == 0 || token != end && at == most {
					continue
				}
				all = append(all, partial{append(slices.Clone(h.tokens), token), h.sum + p})
			}
		}
		slices.SortStableFunc(all, func(a, b partial) int { return cmp.Compare(b.sum, a.sum) })
		live = nil
		for i, h := range all[:min(len(all), 2*s.config.Width)] {
			n := len(h.tokens)
			if h.tokens[n-1] != end {
				if len(live) < s.config.Width {
					live = append(live, h)
				}
			} else if i < s.config.Width && len(found) < s.config.Width {
				found = append(found, Hypothesis{h.tokens[:n-1], h.sum, h.sum / math.Pow(float64(n), *s.config.LengthPenalty)})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Hypothesis) int { return cmp.Compare(b.Score, a.Score) })
	return found
}

// TestEqualsSlowSearch: hypothesis for hypothesis, over shapes that grow with the target
// and shrink with the sentences that are left.
func TestEqualsSlowSearch(t *testing.T) {
	for seed, c := range small {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			for _, width := range []int{1, 3, 5} {
				t.Run(fmt.Sprint("seed ", seed, dt, width), func(t *testing.T) { compare(t, c, uint64(seed), dt, width) })
			}
		}
	}
}

func compare(t *testing.T, c layers.TransformerConfig, seed uint64, dt tensor.Dtype, width int) {
	penalty := 1 - 0.5*float64(seed%2)
	m, params := net(t, c, seed, dt)
	s, err := New(m, params, Config{Width: width, LengthPenalty: &penalty, PerToken: 1.5, Extra: 8, Begin: begin, End: end, Batch: 64})
	if err != nil {
		t.Fatal(err)
	}
	reference := &slow{m, params, s.config, make(map[[2]int]*graph.Forward), make(map[[2]int][]*tensor.Dense)}
	sources := draw(rand.New(rand.NewPCG(seed, 90)), c, 11, 9)
	tolerance := 1e-10
	if dt == tensor.Float32 {
		tolerance = 1e-4
	}
	ended, cut := 0, 0
	for range 2 { // the second time with graphs that are there
		got, err := s.Search(context.Background(), sources)
		if err != nil {
			t.Fatal(err)
		}
		for i, source := range sources {
			want := reference.search(t, source)
			if len(got[i]) != len(want) || len(want) == 0 {
				t.Fatalf("sentence %d: %d hypotheses, the slow search has %d", i, len(got[i]), len(want))
			}
			most := s.config.longest(c, len(source))
			for k, w := range want {
				g := got[i][k]
				if !slices.Equal(g.Tokens, w.Tokens) || math.Abs(g.LogProbability-w.LogProbability) > tolerance || math.Abs(g.Score-w.Score) > tolerance {
					t.Fatalf("sentence %d, hypothesis %d: %+v, the slow search has %+v", i, k, g, w)
				}
				if len(w.Tokens) == most {
					cut++
				} else {
					ended++
				}
			}
		}
		// Other weights, which the graphs must take.
		for _, p := range params {
			v, err := apoops.Choose(dt, scale[float32], scale[float64])
			if err != nil {
				t.Fatal(err)
			}
			v(p.Value, 1.05)
		}
	}
	if width > 1 && ended == 0 || seed == 0 && ended+cut == 0 {
		t.Errorf("%d hypotheses ended, %d are of the largest length: a test of nothing", ended, cut)
	}
	t.Logf("%d hypotheses ended, %d are of the largest length", ended, cut)
}

func scale[T apoops.Float](a *tensor.Dense, by float64) {
	for i, v := range apoops.Elements[T](a) {
		apoops.Elements[T](a)[i] = T(by * float64(v))
	}
}

// counting counts the steps of a search: each asks for the error, and once more at the end.
type counting struct {
	context.Context
	asked int
}

func (c *counting) Err() error { c.asked++; return nil }

// TestRowsAreGivenOn: a sentence that waits takes the row of one that is done, so that
// together they take no more steps than full batches and the last sentences need.
func TestRowsAreGivenOn(t *testing.T) {
	m, params := net(t, small[0], 3, tensor.Float64)
	s, err := New(m, params, Config{Width: 2, PerToken: 4, Extra: 1, Begin: begin, End: end, Batch: 32})
	if err != nil {
		t.Fatal(err)
	}
	steps := func(sources [][]int) int {
		ctx := &counting{Context: t.Context()}
		if _, err := s.Search(ctx, sources); err != nil {
			t.Fatal(err)
		}
		return ctx.asked - 1
	}
	const rows = 4 // of 8 tokens
	sources := draw(rand.New(rand.NewPCG(3, 92)), small[0], 40, 7)
	sum, least, most := 0, math.MaxInt, 0
	for _, source := range sources {
		n := steps([][]int{source})
		sum, least, most = sum+n, min(least, n), max(most, n)
	}
	if got, bound := steps(sources), sum/rows+most; got > bound {
		t.Errorf("%d steps, of sentences with %d to %d steps and %d in all; at most %d", got, least, most, sum, bound)
	}
	if least == most {
		t.Errorf("all sentences take %d steps: a test of nothing", most)
	}
}

// TestTies: with all logits equal, earlier ranks and smaller tokens come first.
func TestTies(t *testing.T) {
	m, params := net(t, small[0], 1, tensor.Float64)
	for _, p := range params {
		clear(p.Value.Float64s())
	}
	s, err := New(m, params, Config{Width: 3, PerToken: 0.001, Extra: 2, Begin: begin, End: end})
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Search(t.Context(), [][]int{{3, 4}})
	if err != nil {
		t.Fatal(err)
	}
	// After the first token: 3, 4, 5 (0 to 2 are special). Then of 3's continuations End
	// is first, found at once; 3 3, 3 4 and 3 5 go on and can only end.
	got := fmt.Sprint(found[0][0].Tokens, found[0][1].Tokens, found[0][2].Tokens)
	if want := "[3] [3 3] [3 4]"; got != want {
		t.Errorf("hypotheses %s, want %s", got, want)
	}
}

func TestErrors(t *testing.T) {
	m, params := net(t, small[1], 1, tensor.Float32)
	s, err := New(m, params, Config{Begin: begin, End: end, MaxSource: 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		sources [][]int
		says    string
	}{
		{[][]int{{3}, {}}, "sentence 2 is empty"},
		{[][]int{{3}, {4}, {3, 3, 3, 3, 3}}, "sentence 3 has 5 tokens, more than 4"},
		{[][]int{{3, 13}}, "sentence 1: token 2 is 13"},
		{[][]int{{-1}}, "sentence 1: token 1 is -1"},
		{[][]int{{0}}, "padding"},
	} {
		if _, err := s.Search(t.Context(), test.sources); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: error %v, want %q", test.sources, err, test.says)
		}
	}
	if found, err := s.Search(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("no sentences: %v, %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Search(ctx, [][]int{{3}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a search that is stopped", err)
	}
	nan := math.NaN()
	for _, c := range []Config{
		{Begin: 1, End: 1}, {Begin: 0, End: 1}, {Begin: 1, End: 9}, {Width: -1, Begin: 1, End: 2}, {Width: 10, Begin: 1, End: 2},
		{PerToken: -1, Begin: 1, End: 2}, {Extra: nan, Begin: 1, End: 2}, {LengthPenalty: &nan, Begin: 1, End: 2}, {MaxSource: -1, Begin: 1, End: 2}, {Batch: -1, Begin: 1, End: 2},
	} {
		if _, err := New(m, params, c); err == nil {
			t.Errorf("%+v passes", c)
		}
	}
	params[0].Value.Float32s()[5*8] = float32(nan)
	if _, err := s.Search(t.Context(), [][]int{{5}}); !errors.Is(err, graph.ErrNotFinite) {
		t.Errorf("weights that are NaN: error %v", err)
	}
}

// TestGraphsAreBounded: beyond the limit the graphs go, and the last stays.
func TestGraphsAreBounded(t *testing.T) {
	graphs := make(map[shape]int)
	for i := range 3 * mostGraphs {
		keepGraph(graphs, shape{sentences: i}, i)
		if graphs[shape{sentences: i}] != i || len(graphs) > mostGraphs {
			t.Fatalf("%d graphs after %d", len(graphs), i+1)
		}
	}
}
