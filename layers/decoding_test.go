package layers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// stepper decodes position after position as a search does: it keeps the keys and
// values that each step adds.
type stepper struct {
	vm       gorgonia.VM
	tokens   *tensor.Dense // of the hypotheses
	position *tensor.Dense
	earlier  []*tensor.Dense // keys and values of each block
	added    []gorgonia.Value
	logits   gorgonia.Value
}

// newStepper builds the step of a model for hypotheses, of so many of each sentence,
// and up to most positions.
func newStepper(t *testing.T, c *torchCase, each, most int) *stepper {
	t.Helper()
	g := gorgonia.NewGraph()
	n := len(c.Target)
	q := n * each
	var theta gorgonia.Nodes
	for _, p := range c.params {
		theta = append(theta, gorgonia.NodeFromAny(g, p.Value, gorgonia.WithName(p.Name)))
	}
	s := &stepper{
		tokens:   tensor.New(tensor.WithShape(q), tensor.Of(tensor.Int)),
		position: tensor.New(tensor.WithShape(q), tensor.Of(tensor.Int)),
		added:    make([]gorgonia.Value, 2*c.Config.Decoder),
	}
	in := DecoderStep{Tokens: intNode(g, "tokens", s.tokens), Position: intNode(g, "position", s.position)}
	for i := range c.Config.Decoder {
		var kv [2]*gorgonia.Node
		for j, name := range []string{"keys", "values"} {
			// Rows that no step has written are NaN: they must not be read.
			v := tensor.New(tensor.WithShape(q*most, c.Config.Width), tensor.Of(tensor.Float64))
			for k := range v.Float64s() {
				v.Float64s()[k] = math.NaN()
			}
			s.earlier = append(s.earlier, v)
			kv[j] = gorgonia.NodeFromAny(g, v, gorgonia.WithName(fmt.Sprint(name, i)))
		}
		in.Earlier = append(in.Earlier, KeyValue{kv[0], kv[1]})
	}
	p := &graph.Pass{Role: graph.EvalRole}
	var y *gorgonia.Node
	var added []KeyValue
	var err error
	switch m := c.model.(type) {
	case *TransformerModel:
		var memory *gorgonia.Node
		if memory, in.MemoryMask, err = m.Encode(p, intNode(g, "x0", intArray(c.Source)), theta); err != nil {
			t.Fatal(err)
		}
		if in.Memory, err = m.Memory(memory, theta); err != nil {
			t.Fatal(err)
		}
		y, added, err = m.Step(p, in, theta)
	case *DecoderModel:
		y, added, err = m.Step(p, in, theta)
	}
	if err != nil {
		t.Fatal(err)
	}
	gorgonia.Read(y, &s.logits)
	for i, kv := range added {
		gorgonia.Read(kv.Keys, &s.added[2*i])
		gorgonia.Read(kv.Values, &s.added[2*i+1])
	}
	s.vm = gorgonia.NewTapeMachine(g)
	t.Cleanup(func() { s.vm.Close() })
	return s
}

// step decodes one token of each hypothesis and returns the logits of the next.
func (s *stepper) step(t *testing.T, tokens []int) []float64 {
	t.Helper()
	copy(s.tokens.Ints(), tokens)
	if err := s.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	s.vm.Reset()
	for i, kv := range s.earlier {
		width := kv.Shape()[1]
		most := kv.Shape()[0] / len(tokens)
		for q, at := range s.position.Ints() {
			copy(kv.Float64s()[(q*most+at)*width:], s.added[i].Data().([]float64)[q*width:(q+1)*width])
		}
	}
	for q := range s.position.Ints() {
		s.position.Ints()[q]++
	}
	return s.logits.Data().([]float64)
}

// TestStepsEqualTheWholeDecoder: the logits of each position, from a step over kept keys
// and values, are those of one pass over the whole target.
func TestStepsEqualTheWholeDecoder(t *testing.T) {
	rng := rand.New(rand.NewPCG(81, 1))
	for _, c := range torchCases(t) {
		t.Run(fmt.Sprintf("%+v", c.Config), func(t *testing.T) {
			const each, length = 2, 5 // hypotheses of each sentence
			n, v := len(c.Source), c.Config.Vocabulary
			c.Target = nil
			var source [][]int
			for i := range n * each {
				row := make([]int, length)
				for j := range row {
					row[j] = (c.Config.Padding + 1 + rng.IntN(v-1)) % v
				}
				c.Target = append(c.Target, row)
				source = append(source, c.Source[i/each])
			}
			targets, sources := c.Target, c.Source
			c.Source = source // a sentence for each hypothesis
			whole := c.logits(t)
			c.Source, c.Target = sources, targets[:n]
			s := newStepper(t, c, each, length)
			for at := range length {
				tokens := make([]int, n*each)
				for q := range tokens {
					tokens[q] = targets[q][at]
				}
				got := s.step(t, tokens)
				for q := range tokens {
					for j := range v {
						if w := whole[(q*length+at)*v+j]; !(math.Abs(got[q*v+j]-w) < 1e-12) {
							t.Fatalf("position %d of hypothesis %d: logit %d is %v, the whole decoder's %v", at, q, j, got[q*v+j], w)
						}
					}
				}
			}
		})
	}
}

// logits are the outputs of a pass over the whole target.
func (c *torchCase) logits(t *testing.T) []float64 {
	t.Helper()
	g := gorgonia.NewGraph()
	y := c.output(t, g, graph.EvalRole, nil)
	var value gorgonia.Value
	gorgonia.Read(y, &value)
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return value.Data().([]float64)
}
