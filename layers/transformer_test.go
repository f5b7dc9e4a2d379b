package layers

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// iwslt is the net of the paper's experiment on IWSLT'14, transformer_iwslt_de_en of
// fairseq, but for its vocabularies.
func iwslt() TransformerConfig {
	return TransformerConfig{Encoder: 6, Decoder: 6, Width: 512, Heads: 4, FeedForward: 1024, Dropout: 0.3}
}

// TestTransformerParameters: the number that fairseq prints when it trains
// transformer_iwslt_de_en as in its example of IWSLT'14, with vocabularies of 8848 German
// and 6632 English tokens and the target's table as output, is 39 469 056. Blocks have
// 31 543 296 of them. With one vocabulary of 10 152 tokens and one table
// (--joined-dictionary, --share-all-embeddings) it is 36 741 120.
func TestTransformerParameters(t *testing.T) {
	for _, c := range []struct {
		change func(*TransformerConfig)
		count  int
	}{
		{func(c *TransformerConfig) { c.SourceVocabulary, c.Vocabulary, c.TiedOutput = 8848, 6632, true }, 39469056},
		{func(c *TransformerConfig) { c.Vocabulary, c.Shared = 10152, true }, 36741120},
		{func(c *TransformerConfig) { c.Vocabulary, c.Shared, c.PreNorm = 10152, true, true }, 36741120 + 2*2*512},
		{func(c *TransformerConfig) { c.SourceVocabulary, c.Vocabulary = 8848, 6632 }, 39469056 + 6632*512},
	} {
		config := iwslt()
		c.change(&config)
		all, err := Transformer(config).parts()
		if err != nil {
			t.Fatal(err)
		}
		specs, err := all.params()
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, s := range specs {
			count += s.Shape.TotalSize()
		}
		if count != c.count {
			t.Errorf("%+v has %d parameters, want %d", config, count, c.count)
		}
	}
}

func small() TransformerConfig {
	return TransformerConfig{Encoder: 2, Decoder: 1, Width: 64, Heads: 4, FeedForward: 128, Vocabulary: 500}
}

// TestTransformerInit checks names, matrices and the spread of initial weights.
func TestTransformerInit(t *testing.T) {
	config := small()
	config.Padding, config.PreNorm = 3, true
	params, err := Transformer(config).Init(1, tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	sigma := map[string]float64{}
	for _, p := range params {
		names = append(names, p.Name)
		matrix := p.Value.Dims() == 2 && p.Name != "source" && p.Name != "target"
		if p.Matrix != matrix {
			t.Errorf("%s of shape %v: Matrix is %v", p.Name, p.Value.Shape(), p.Matrix)
		}
		var square float64
		w := p.Value.Float32s()
		for _, v := range w {
			square += float64(v) * float64(v)
		}
		sigma[p.Name] = math.Sqrt(square / float64(len(w)))
	}
	if want := "source target encoder0/attention/query encoder0/attention/key encoder0/attention/value encoder0/attention/output " +
		"encoder0/norm0/gain encoder0/norm0/shift encoder0/dense0 encoder0/dense1 encoder0/norm1/gain encoder0/norm1/shift"; !strings.HasPrefix(strings.Join(names, " "), want) {
		t.Errorf("the parameters are %v", names)
	}
	if want := []string{"decoder0/norm2/gain", "decoder0/norm2/shift", "decodernorm/gain", "decodernorm/shift", "output"}; !slices.Equal(names[len(names)-5:], want) {
		t.Errorf("the last parameters are %v", names[len(names)-5:])
	}
	// U(-a, a) has the deviation a/√3; a matrix has one row of zeros in 65.
	glorot := math.Sqrt(2. / (64 + 64))
	for name, want := range map[string]float64{
		"source": 1. / 8, "target": 1. / 8, "output": 1. / 8, "encoder1/norm0/gain": 1, "encoder1/norm0/shift": 0,
		"encoder1/attention/key": glorot / math.Sqrt2, "decoder0/cross/value": glorot / math.Sqrt2, "decoder0/cross/output": glorot,
		"encoder0/dense0": math.Sqrt(2. / (64 + 128)),
	} {
		if got := sigma[name]; math.Abs(got-want) > 0.03*want {
			t.Errorf("%s: deviation %v, want %v", name, got, want)
		}
	}
	for i, v := range params[0].Value.Float32s()[2*64 : 5*64] {
		if (v == 0) != (i >= 64 && i < 128) {
			t.Fatalf("row %d of the source's table has the element %v", 2+i/64, v)
		}
	}
}

// TestTransformerDropout: masks are drawn in training alone, are the same in a second
// pass on the batch and differ in a pass on another batch.
func TestTransformerDropout(t *testing.T) {
	c := torchCases(t)[0]
	c.Config.Dropout, c.Config.AttentionDropout = 0.2, 0.3
	c.model = Transformer(c.Config)
	run := func(role graph.Role) []float64 {
		g := gorgonia.NewGraph()
		y := c.output(t, g, role, apoops.NewRandom(5))
		vm := gorgonia.NewTapeMachine(g)
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		return y.Value().Data().([]float64)
	}
	base, lookahead, old, eval := run(graph.BaseRole), run(graph.LossRole), run(graph.OldRole), run(graph.EvalRole)
	if !slices.Equal(base, lookahead) {
		t.Error("the lookahead has other masks than the step")
	}
	if slices.Equal(base, old) || slices.Equal(base, eval) {
		t.Error("masks are missing or shared where they must not be")
	}
	if !slices.Equal(eval, c.logits(t)) {
		t.Error("dropout is on in evaluation")
	}
}

// TestTransformerOfShortSentences: a sentence alone, and sentences of one token, have
// the logits that they have among longer ones.
func TestTransformerOfShortSentences(t *testing.T) {
	c := torchCases(t)[0]
	c.Source, c.Target = [][]int{{4, 0, 0}, {5, 1, 0}}, [][]int{{3, 2}, {6, 2}}
	v := c.Config.Vocabulary
	among := c.logits(t)
	c.Source, c.Target = [][]int{{4}}, [][]int{{3}}
	near := func(what string, got, want []float64) {
		t.Helper()
		for i, w := range want {
			if !(math.Abs(got[i]-w) < 1e-12) {
				t.Errorf("%s: logit %d is %v, among longer ones %v", what, i, got[i], w)
			}
		}
	}
	near("one sentence of one token", c.logits(t), among[:v])
	c.Source, c.Target = [][]int{{4}, {7}}, [][]int{{3}, {1}}
	near("two of one token", c.logits(t)[:v], among[:v])
	c.Source, c.Target = [][]int{{5, 1}}, [][]int{{6, 2}}
	near("one of two tokens", c.logits(t), among[2*v:])
}

// TestCrossWeights: the weights of each block add up to 1 over the tokens of the source,
// and padding has none.
func TestCrossWeights(t *testing.T) {
	c := torchCases(t)[0]
	g := gorgonia.NewGraph()
	var theta gorgonia.Nodes
	for _, p := range c.params {
		theta = append(theta, gorgonia.NodeFromAny(g, p.Value, gorgonia.WithName(p.Name)))
	}
	x := gorgonia.Nodes{intNode(g, "x0", intArray(c.Source)), intNode(g, "x1", intArray(c.Target))}
	weights, err := c.model.(*TransformerModel).CrossWeights(&graph.Pass{Role: graph.EvalRole}, x, theta)
	if err != nil || len(weights) != 2 {
		t.Fatalf("weights of %d blocks: %v", len(weights), err)
	}
	values := make([]gorgonia.Value, len(weights))
	for i, w := range weights {
		gorgonia.Read(w, &values[i])
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	const heads, length, width = 2, 5, 6
	lengths := []int{6, 2, 5} // of the source
	for i, v := range values {
		w := v.Data().([]float64)
		if len(w) != len(lengths)*heads*length*width {
			t.Fatalf("block %d: %d weights", i, len(w))
		}
		for row := range len(w) / width {
			var sum float64
			for j, p := range w[row*width : (row+1)*width] {
				if (p == 0) != (j >= lengths[row/(heads*length)]) {
					t.Fatalf("block %d, row %d: weight %d is %v", i, row, j, p)
				}
				sum += p
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Fatalf("block %d: row %d adds up to %v", i, row, sum)
			}
		}
	}
	if slices.Equal(values[0].Data().([]float64), values[1].Data().([]float64)) {
		t.Error("the blocks have the same weights")
	}
}

// TestTransformerRefuses: settings and inputs that are wrong are errors that name the
// part.
func TestTransformerRefuses(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*TransformerConfig)
		want   string
	}{
		"no encoder":           {func(c *TransformerConfig) { c.Encoder = 0 }, "0 blocks of the encoder"},
		"no decoder":           {func(c *TransformerConfig) { c.Decoder = 0 }, "0 of the decoder"},
		"three heads":          {func(c *TransformerConfig) { c.Heads = 3 }, "encoder0/attention: 3 heads"},
		"no heads":             {func(c *TransformerConfig) { c.Heads = 0 }, "encoder0/attention: 0 heads"},
		"no width":             {func(c *TransformerConfig) { c.Width = 0 }, "width 0"},
		"no vocabulary":        {func(c *TransformerConfig) { c.Vocabulary = 0 }, "vocabulary of 0"},
		"no hidden units":      {func(c *TransformerConfig) { c.FeedForward = 0 }, "encoder0/dense0: 64 inputs, 0 outputs"},
		"padding outside":      {func(c *TransformerConfig) { c.Padding = 500 }, "padding id 500"},
		"dropout of all":       {func(c *TransformerConfig) { c.Dropout = 1 }, "encoder0: dropout"},
		"dropout NaN":          {func(c *TransformerConfig) { c.AttentionDropout = math.NaN() }, "encoder0/attention: dropout"},
		"two vocabularies":     {func(c *TransformerConfig) { c.SourceVocabulary, c.Shared = 400, true }, "share no table"},
		"negative vocabulary":  {func(c *TransformerConfig) { c.SourceVocabulary = -1 }, "source vocabulary of -1"},
		"negative positions":   {func(c *TransformerConfig) { c.LearnedPositions = -1 }, "-1 learned positions"},
		"a table past memory":  {func(c *TransformerConfig) { c.Vocabulary = 1 << 40 }, "elements"},
		"more units than fits": {func(c *TransformerConfig) { c.FeedForward = 1 << 40 }, "encoder0/dense0"},
	} {
		config := small()
		c.change(&config)
		if _, err := Transformer(config).Init(1, tensor.Float32); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, not one of %q", what, err, c.want)
		}
	}
	config := small()
	if _, err := LanguageModel(config).Init(1, tensor.Float32); err == nil {
		t.Error("a language model with an encoder was accepted")
	}
	if _, err := Transformer(config).Init(1, tensor.Int); err == nil {
		t.Error("weights of int were accepted")
	}
}

// TestTransformerRefusesInputs: inputs of wrong number, dtype and shape.
func TestTransformerRefusesInputs(t *testing.T) {
	c := torchCases(t)[4] // with 7 learned positions
	g := gorgonia.NewGraph()
	var theta gorgonia.Nodes
	for _, p := range c.params {
		theta = append(theta, gorgonia.NodeFromAny(g, p.Value, gorgonia.WithName(p.Name)))
	}
	tokens := func(name string, shape ...int) *gorgonia.Node {
		return intNode(g, name, tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Int)))
	}
	good, float := tokens("good", 3, 5), gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(3, 5), gorgonia.WithName("float"))
	p := &graph.Pass{Role: graph.EvalRole}
	for what, x := range map[string]gorgonia.Nodes{
		"one input":       {good},
		"a vector":        {good, tokens("vector", 15)},
		"floats":          {float, good},
		"nil":             {good, nil},
		"other sentences": {good, tokens("other", 2, 5)},
		"long sentences":  {good, tokens("long", 3, 8)},
	} {
		if _, err := c.model.Output(p, x, theta); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	for what, theta := range map[string]gorgonia.Nodes{"fewer": theta[1:], "more": append(theta[:len(theta):len(theta)], float)} {
		if _, err := c.model.Output(p, gorgonia.Nodes{good, good}, theta); err == nil {
			t.Errorf("%s parameters: accepted", what)
		}
	}
	m := c.model.(*TransformerModel)
	if _, _, err := m.Step(p, DecoderStep{}, theta); err == nil {
		t.Error("a step without inputs was accepted")
	}
}
