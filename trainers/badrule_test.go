package trainers

import (
	"errors"
	"fmt"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// badRule is a user's rule that does not do its part.
type badRule struct {
	rule.Base
	directions func(in rule.Input) ([]*tensor.Dense, error)
}

func (r *badRule) Directions(in rule.Input) ([]*tensor.Dense, error) { return r.directions(in) }
func (*badRule) State() []checkpoint.NamedTensor                     { return nil }

// badRuleConfig starts a rule that may be nil.
type badRuleConfig struct {
	rule.OptimizerBase
	rule rule.Rule
}

func (*badRuleConfig) Name() string                          { return "careless" }
func (*badRuleConfig) LearningRate() float64                 { return 0.1 }
func (*badRuleConfig) Validate() error                       { return nil }
func (c *badRuleConfig) Start(*rule.Task) (rule.Rule, error) { return c.rule, nil }

// TestBadRules takes steps by rules with wrong directions, alone and within the rules and
// learners that start others.
func TestBadRules(t *testing.T) {
	batch := rowsOf(toyData(t, tensor.Float32), 0, 12)
	zeros := func(dt tensor.Dtype, shape ...int) *tensor.Dense {
		return tensor.New(tensor.WithShape(shape...), tensor.Of(dt))
	}
	second := func(d *tensor.Dense) func(in rule.Input) ([]*tensor.Dense, error) {
		return func(in rule.Input) ([]*tensor.Dense, error) { return []*tensor.Dense{in.G[0], d}, nil }
	}
	turned := zeros(tensor.Float32, 3, 6)
	if err := turned.T(); err != nil {
		t.Fatal(err)
	}
	var rows []badInput
	for _, bad := range []struct {
		what       string
		directions func(in rule.Input) ([]*tensor.Dense, error)
		want       string
	}{
		{"none", func(rule.Input) ([]*tensor.Dense, error) { return nil, nil }, "0 directions|2 parameters"},
		{"too few", func(in rule.Input) ([]*tensor.Dense, error) { return in.G[:1], nil }, "1 directions|2 parameters"},
		{"nil", second(nil), `"dense1"`},
		{"another size", second(zeros(tensor.Float32, 3)), `"dense1"|(3)|(6, 3)`},
		{"the transpose", second(zeros(tensor.Float32, 3, 6)), `"dense1"|(3, 6)|(6, 3)`},
		{"a view", second(turned), `"dense1"|view`},
		{"float64", second(zeros(tensor.Float64, 6, 3)), `"dense1"|float64|float32`},
		{"an error", func(rule.Input) ([]*tensor.Dense, error) { return nil, errors.New("no way down") }, "no way down"},
		{"a panic", func(rule.Input) ([]*tensor.Dense, error) { panic("at the bottom") }, "at the bottom"},
	} {
		for what, around := range map[string]func(o Optimizer) Optimizer{
			"alone": func(o Optimizer) Optimizer { return o }, "in groups": func(o Optimizer) Optimizer { return Groups(o) }, "in Mechanic": func(o Optimizer) Optimizer { return Mechanic(o) },
		} {
			for _, k := range []int{0, 1} {
				rows = append(rows, badInput{fmt.Sprintf("directions: %s, %s, K = %d", bad.what, what, k), func() error {
					fine := true
					o := &badRuleConfig{rule: &badRule{directions: func(in rule.Input) ([]*tensor.Dense, error) {
						if fine {
							fine = false
							return in.G, nil
						}
						return bad.directions(in)
					}}}
					tr, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, around(o), EveryK(k))
					if err == nil {
						_, err = tr.Step(batch)
					}
					if err != nil {
						return fmt.Errorf("PANIC before the wrong step: %w", err)
					}
					_, err = tr.Step(batch)
					return err
				}, "step 1|careless|" + bad.want})
			}
		}
	}
	refuseAll(t, rows)
}

// TestNilRules starts rules that are not there, and one that moves φ wrongly.
func TestNilRules(t *testing.T) {
	made := func(o Optimizer, opts ...Option) error {
		return errorOf(New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, o, opts...))
	}
	var none *badRule
	wrong := &badRuleConfig{rule: &badRule{directions: func(rule.Input) ([]*tensor.Dense, error) { return nil, nil }}}
	var rows []badInput
	for what, o := range map[string]Optimizer{"nil": &badRuleConfig{}, "typed nil": &badRuleConfig{rule: none}} {
		rows = append(rows,
			badInput{what + " rule", func() error { return made(o) }, "careless|neither a rule nor an error"},
			badInput{what + " rule in groups", func() error { return made(Groups(o)) }, "careless|neither a rule nor an error"},
			badInput{what + " rule in Mechanic", func() error { return made(Mechanic(o)) }, "careless|neither a rule nor an error"},
			badInput{what + " rule for φ", func() error { return made(SGD(0.1), Meta(o)) }, "careless|neither a rule nor an error"})
	}
	for step, opts := range [][]Option{{SameBatch()}, nil} { // at which φ moves
		rows = append(rows, badInput{"no directions of φ", func() error {
			tr, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, SGD(0.1), append(opts, EveryK(2), Meta(wrong))...)
			for range step + 1 {
				if err == nil {
					_, err = tr.Step(rowsOf(toyData(t, tensor.Float32), 0, 12))
				}
			}
			return err
		}, fmt.Sprintf("step %d|careless|0 directions", step)})
	}
	refuseAll(t, rows)
}
