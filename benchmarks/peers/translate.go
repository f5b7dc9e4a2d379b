package peers

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/layers/search"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// translateNet is the name of the beam search. A step is the translation of all sources.
const translateNet = "translate"

const (
	translateSentences = 1000
	// leastEqual is the least share of targets that all sides have alike. Rounding can
	// exchange hypotheses that are nearly as good.
	leastEqual = 0.99
)

// translators are the small net of the translation experiment and one for tests.
var translators = map[string]layers.TransformerConfig{
	translateNet:     {Encoder: 3, Decoder: 3, Width: 128, Heads: 4, FeedForward: 256, Vocabulary: 5200, Shared: true},
	"translate-tiny": {Encoder: 1, Decoder: 2, Width: 16, Heads: 4, FeedForward: 24, Vocabulary: 300, Shared: true},
}

// endShifts are the last shifts along the row of End, by net. Below them next to no target
// ends before the largest length, above them nearly all end at once.
var endShifts = map[string]float32{translateNet: 7, "translate-tiny": 14}

// searchConfig are the settings of the search on all sides. The batch is this library's.
func searchConfig() search.Config {
	penalty := 1.0
	return search.Config{Width: 5, LengthPenalty: &penalty, PerToken: 1, Extra: 5, Begin: 1, End: 2, Batch: 1024}
}

// translation is the search for targets of all sources.
func translation(net string, _ settings, m *measurement) (step func() error, err error) {
	model, params, err := translator(net)
	if err != nil {
		return nil, err
	}
	m.Parameters = parameters(params)
	s, err := search.New(model, params, searchConfig())
	if err != nil {
		return nil, err
	}
	sources := drawSources(net)
	return func() error {
		found, err := s.Search(context.Background(), sources)
		m.Targets = nil
		for _, all := range found {
			if len(all) == 0 {
				m.Targets = append(m.Targets, []int{})
				continue
			}
			m.Targets = append(m.Targets, all[0].Tokens)
		}
		return err
	}, nil
}

// translator is a net with weights by which targets end. Those of Init never do: a token
// of a table that the output shares is followed by itself. Larger products of the
// decoder's blocks make the next token depend on all that is before it, a larger last
// gain makes some tokens much likelier than others, and a last shift along the row of End
// makes some targets end before the largest length.
func translator(net string) (*layers.TransformerModel, []*graph.Param, error) {
	const products, gain = 4, 3
	c := translators[net]
	model := layers.Transformer(c)
	params, err := model.Init(1, tensor.Float32)
	if err != nil {
		return nil, nil, err
	}
	of := make(map[string][]float32, len(params))
	for _, p := range params {
		of[p.Name] = apoops.Elements[float32](p.Value)
	}
	last := fmt.Sprintf("decoder%d/norm2/", c.Decoder-1)
	for i := range c.Decoder {
		scale(of[fmt.Sprintf("decoder%d/dense1", i)], products)
	}
	scale(of[last+"gain"], gain)
	row := of["embedding"][searchConfig().End*c.Width:][:c.Width]
	copy(of[last+"shift"], row)
	scale(of[last+"shift"], endShifts[net])
	return model, params, nil
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}

// drawSources have random tokens in sentences whose logarithm of the length has the mean
// and the spread of Multi30k's German test set of 2016 with 3,000 byte-pair codes; from 5
// to 44 tokens, as there.
func drawSources(net string) [][]int {
	n := translateSentences
	if net != translateNet {
		n = 20
	}
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([][]int, n)
	for i := range all {
		all[i] = make([]int, min(max(int(math.Round(math.Exp(2.698+0.35*rng.NormFloat64()))), 5), 44))
		for j := range all[i] {
			all[i][j] = 4 + rng.IntN(translators[net].Vocabulary-4)
		}
	}
	return all
}

// equalTargets is the share of targets that two sides have alike.
func equalTargets(a, b [][]int) float64 {
	if len(a) != len(b) {
		return 0
	}
	if len(a) == 0 {
		return 1
	}
	equal := 0
	for i := range a {
		if slices.Equal(a[i], b[i]) {
			equal++
		}
	}
	return float64(equal) / float64(len(a))
}

// writeTranslation writes the weights and sources to a file in dir, for PyTorch.
func writeTranslation(dir, net string) (path string, err error) {
	_, params, err := translator(net)
	if err != nil {
		return "", err
	}
	all := []trainers.NamedTensor{{Name: "sources", Value: padded(drawSources(net))}}
	for _, p := range params {
		all = append(all, trainers.NamedTensor{Name: p.Name, Value: p.Value})
	}
	path = filepath.Join(dir, "task.safetensors")
	return path, checkpoint.WriteSafetensors(path, all)
}

// padded are sentences as the rows of an array, with padding behind them.
func padded(sentences [][]int) *tensor.Dense {
	longest := 0
	for _, s := range sentences {
		longest = max(longest, len(s))
	}
	ids := make([]int, len(sentences)*longest)
	for i, s := range sentences {
		copy(ids[i*longest:], s)
	}
	return tensor.New(tensor.WithShape(len(sentences), longest), tensor.WithBacking(ids))
}

// translateSides are PyTorch's searches: on each number of threads with each size of
// batch. done removes the file of weights.
func translateSides(python, net string, threads []int, s settings) (sides []*side, done func(), err error) {
	path, done, err := taskFile(func(dir string) (string, error) { return writeTranslation(dir, net) })
	if err != nil {
		return nil, nil, err
	}
	for _, n := range threads {
		for _, tokens := range []int{1024, 4096} {
			name := fmt.Sprintf("%s-%d", torchName(n), tokens)
			sides = append(sides, &side{name: name, run: torchTranslation(python, path, translators[net].Heads, n, tokens, s)})
		}
	}
	return sides, done, nil
}

// torchTranslation measures PyTorch's search for the weights and sources of the file task.
func torchTranslation(python, task string, heads, threads, tokens int, s settings) measureFunc {
	c := searchConfig()
	args := []string{
		"--heads", strconv.Itoa(heads), "--threads", strconv.Itoa(threads), "--batch", strconv.Itoa(tokens), "--width", strconv.Itoa(c.Width),
		"--per-token", fmt.Sprint(c.PerToken), "--extra", fmt.Sprint(c.Extra), "--penalty", fmt.Sprint(*c.LengthPenalty),
		"--steps", strconv.Itoa(s.steps), "--warmup", strconv.Itoa(s.warmup), task,
	}
	return func(ctx context.Context) (measurement, error) {
		var m measurement
		return m, runScriptWith(ctx, mallocSettings, &m, python, "torch_translate.py", args...)
	}
}
