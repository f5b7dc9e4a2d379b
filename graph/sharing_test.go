package graph

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// role is a kind of graph that a test builds, as often as it likes with the same
// values.
type role struct {
	name  string
	build func(t *testing.T) *compiled
}

// compiled is a graph ready to run.
type compiled struct {
	program *program
	// run does step i, from which the next one goes on, and returns all that can
	// be read after it.
	run func(t *testing.T, i int) [][]float64
}

// roles are the graphs of every kind, of nets of this package's ops and of a user's
// graph.
func roles(t *testing.T) []role {
	t.Helper()
	var all []role
	rng := rand.New(rand.NewPCG(41, 1))
	dense := problems(rng, 3, 3)[0]
	for _, of := range []struct {
		name  string
		dt    tensor.Dtype
		model Model
		problem
	}{
		{"dense", tensor.Float64, mlp{widths: []int{3, 6, 5, 3}, act: apoops.TanhAct, dropout: 0.3}, dense},
		{"residual", tensor.Float64, residual{classes: 3}, images(rng, tensor.Float64, 3)},
		{"residual in float32", tensor.Float32, residual{classes: 3}, images(rng, tensor.Float32, 3)},
	} {
		all = append(all, rolesOf(of.name, of.dt, of.problem, func(t *testing.T) (Source, []*Param, Model) {
			params, err := of.model.Init(9, of.dt)
			must(t, err)
			return Objective{Model: of.model, Loss: of.loss}, params, of.model
		})...)
	}
	stock := func(t *testing.T) (*Problem, Batch) { return stockProblem(t, rand.New(rand.NewPCG(42, 1))) }
	_, batch := stock(t)
	tilde := []*tensor.Dense{random(rng, 1, 5, 3)}
	all = append(all, rolesOf("stock", tensor.Float64, problem{batch: batch, tilde: tilde}, func(t *testing.T) (Source, []*Param, Model) {
		q, _ := stock(t)
		params, err := q.LearnableParams()
		must(t, err)
		return q, params, nil
	})...)
	for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		user := func(t *testing.T) *userNet {
			return stockConvs["strided"].build(t, rand.New(rand.NewPCG(43, 1)), dt)
		}
		batch := user(t).batch
		all = append(all, rolesOf("stock convolutions of "+dt.String(), dt, problem{batch: batch, tilde: batch.X}, func(t *testing.T) (Source, []*Param, Model) {
			u := user(t)
			params, err := u.LearnableParams()
			must(t, err)
			return u.Problem, params, nil
		})...)
	}
	return all
}

// images is a classification problem for a model of images.
func images(rng *rand.Rand, dt tensor.Dtype, classes int) problem {
	x := func() *tensor.Dense {
		v := random(rng, 1, 4, 2, 6, 6)
		if dt == tensor.Float32 {
			return narrow(v)
		}
		return v
	}
	labels := []int{0, 2, 1, classes - 1}
	return problem{SoftmaxCrossEntropy, NewBatch(x(), tensor.New(tensor.WithShape(4), tensor.WithBacking(labels))), []*tensor.Dense{x()}}
}

func rolesOf(name string, dt tensor.Dtype, pr problem, source func(t *testing.T) (Source, []*Param, Model)) []role {
	all := []role{
		{name + "/base", func(t *testing.T) *compiled { return baseRole(t, source, pr) }},
		{name + "/curvature", func(t *testing.T) *compiled { return curvatureRole(t, source, dt, pr) }},
		{name + "/evaluation", func(t *testing.T) *compiled { return evaluationRole(t, source, pr) }},
	}
	rates := func(params []*Param) Lookahead { return RateLookahead{Group: make([]int, len(Learned(params)))} }
	for _, l := range []struct {
		name string
		look func(params []*Param) Lookahead
	}{
		{"rates", rates},
		{"free", func([]*Param) Lookahead { return Free{} }},
		{"kronecker", func(params []*Param) Lookahead { return PrecondLookahead{BlockPerParam(params)} }},
		{"relative", func(params []*Param) Lookahead { return RelativeLookahead{BlockPerParam(params)} }},
	} {
		all = append(all, role{name + "/proximal/" + l.name, func(t *testing.T) *compiled {
			return proximalRole(t, source, l.look, dt, pr, false)
		}})
	}
	return append(all, role{name + "/values", func(t *testing.T) *compiled {
		return proximalRole(t, source, rates, dt, pr, true)
	}})
}

func baseRole(t *testing.T, source func(t *testing.T) (Source, []*Param, Model), pr problem) *compiled {
	src, params, _ := source(t)
	b, err := NewBase(src, params, pr.batch, apoops.NewRandom(5))
	must(t, err)
	return &compiled{b.program, func(t *testing.T, _ int) (results [][]float64) {
		must(t, b.Feed(pr.batch), b.Run(), b.MoveStatistics())
		grads, err := b.Grads()
		must(t, err)
		results = append(results, []float64{b.LossValue()})
		for i, p := range Learned(params) {
			results = append(results, numbers(grads[i]))
			descend(p.Value, grads[i])
		}
		for _, p := range params {
			results = append(results, numbers(p.Value))
		}
		return results
	}}
}

// descend takes a step along a gradient.
func descend(value, grad *tensor.Dense) {
	if value.Dtype() == tensor.Float32 {
		follow(value.Float32s(), difference(value.Float32s(), grad.Float32s()), 0.1)
	} else {
		follow(value.Float64s(), difference(value.Float64s(), grad.Float64s()), 0.1)
	}
}

func difference[T float32 | float64](a, b []T) []T {
	d := make([]T, len(a))
	for i, v := range a {
		d[i] = v - b[i]
	}
	return d
}

func proximalRole(t *testing.T, source func(t *testing.T) (Source, []*Param, Model), look func([]*Param) Lookahead, dt tensor.Dtype, pr problem, valuesOnly bool) *compiled {
	src, params, _ := source(t)
	l := look(params)
	p, err := NewProximal(ProximalConfig{
		Source: src, Params: params, Lookahead: l, Batch: pr.batch, Tilde: pr.tilde,
		Random: apoops.NewRandom(5), ValuesOnly: valuesOnly,
	})
	must(t, err)
	return &compiled{p.program, func(t *testing.T, i int) (results [][]float64) {
		phi, inputs := arraysFor(rand.New(rand.NewPCG(51, uint64(i))), l, Learned(params))
		if dt == tensor.Float32 {
			narrowAll(phi)
			narrowAll(inputs)
		}
		must(t, p.Feed(pr.batch, pr.tilde), p.FeedWeights(0.7, 0.3), p.FeedStep(phi, inputs, 0.8), p.Run())
		terms := p.Terms()
		results = append(results, []float64{terms.Q, terms.Loss, terms.FSD, terms.WSD})
		if valuesOnly {
			return results
		}
		must(t, p.Gradient(phi))
		energies, err := p.Energies()
		must(t, err)
		for _, v := range append(slices.Clone(phi), slices.Concat(energies...)...) {
			results = append(results, numbers(v))
		}
		return results
	}}
}

func narrowAll(arrays []*tensor.Dense) {
	for i, a := range arrays {
		arrays[i] = narrow(a)
	}
}

// curvatureRole computes the moments in even steps and the squares in odd ones:
// what is not computed stays.
func curvatureRole(t *testing.T, source func(t *testing.T) (Source, []*Param, Model), dt tensor.Dtype, pr problem) *compiled {
	src, params, _ := source(t)
	blocks := BlockPerParam(params)
	k, err := NewCurvature(CurvatureConfig{Source: src, Params: params, Blocks: blocks, Batch: pr.batch, Random: apoops.NewRandom(5), Squares: true})
	if err != nil {
		t.Skip(err)
	}
	rng := rand.New(rand.NewPCG(61, 1))
	for i, b := range blocks {
		bases := []*tensor.Dense{random(rng, 1, b.Rows, b.Rows), random(rng, 1, b.Cols, b.Cols)}
		if dt == tensor.Float32 {
			narrowAll(bases)
		}
		if k.Has(i) {
			must(t, k.SetBases(i, bases[0], bases[1]))
		}
	}
	return &compiled{k.program, func(t *testing.T, step int) (results [][]float64) {
		must(t, k.Feed(pr.batch), k.RunFor(step%2 == 0, step%2 == 1))
		for i := range blocks {
			if !k.Has(i) {
				continue
			}
			a, g, err := k.Moments(i)
			must(t, err)
			d, err := k.Squares(i)
			must(t, err)
			results = append(results, numbers(a), numbers(g), numbers(d))
		}
		return results
	}}
}

func evaluationRole(t *testing.T, source func(t *testing.T) (Source, []*Param, Model), pr problem) *compiled {
	src, params, _ := source(t)
	of, ok := src.(Evaluable)
	if !ok {
		t.Skip("a problem has no graph for evaluation")
	}
	e, err := NewEvaluation(of, params, pr.batch)
	must(t, err)
	return &compiled{e.program, func(t *testing.T, _ int) [][]float64 {
		must(t, e.Feed(pr.batch), e.Run())
		y, ok := e.Output()
		if !ok {
			t.Fatal("no output")
		}
		return [][]float64{{e.LossValue()}, numbers(y)}
	}}
}

// TestSharingChangesNothing runs graphs of every kind with and without shared
// memory, which is full of NaN before each run: all bits of all results are equal.
func TestSharingChangesNothing(t *testing.T) {
	for _, r := range roles(t) {
		t.Run(r.name, func(t *testing.T) {
			sharing = false
			defer func() { sharing = true }()
			apart := r.build(t)
			sharing = true
			shared := r.build(t)
			for i := range 4 {
				want, got := apart.run(t, i), shared.run(t, i)
				for j := range want {
					equalBits(t, fmt.Sprintf("step %d, result %d", i, j), got[j], want[j])
				}
				if i > 0 {
					poison(shared.inspect(t).passing)
				}
			}
		})
	}
}

// inspection is what a test finds out about a graph that has been run.
type inspection struct {
	order   gorgonia.Nodes
	at      map[*gorgonia.Node]int
	last    map[*gorgonia.Node]int // the last step that needs the result; len(order) where it is kept
	passing gorgonia.Nodes         // ops of package apoops whose results are arrays that are not kept
}

// inspect works lifetimes out from each node to all that may read it, unlike
// lifetimes.
func (c *compiled) inspect(t *testing.T) *inspection {
	t.Helper()
	order := c.program.order
	if order == nil {
		t.Fatal("the order of execution is not known")
	}
	s := &inspection{order: order, at: make(map[*gorgonia.Node]int), last: make(map[*gorgonia.Node]int)}
	readers := make(map[*gorgonia.Node]gorgonia.Nodes)
	for i, n := range order {
		s.at[n] = i
		for _, c := range children(n) {
			readers[c] = append(readers[c], n)
		}
	}
	var needed func(n *gorgonia.Node) int
	needed = func(n *gorgonia.Node) int {
		if len(readers[n]) == 0 || slices.Contains(c.program.values, n) {
			return len(order)
		}
		last := 0
		for _, r := range readers[n] {
			last = max(last, s.at[r])
			if !isBuffered(r) {
				last = max(last, needed(r))
			}
		}
		return last
	}
	for _, n := range order {
		s.last[n] = needed(n)
		if _, array := n.Value().(*tensor.Dense); array && isBuffered(n) && n.Dtype() != tensor.Int && s.last[n] < len(order) {
			s.passing = append(s.passing, n)
		}
	}
	return s
}

// roots are the nodes that nothing reads or gorgonia.Read does.
func (s *inspection) roots() (roots gorgonia.Nodes) {
	read := make(map[*gorgonia.Node]bool)
	for _, n := range s.order {
		for _, c := range children(n) {
			read[c] = true
		}
	}
	for _, n := range s.order {
		switch {
		case n.Op() == nil:
		case typeName(n.Op()) == "readOp":
			roots = append(roots, children(n)...)
		case !read[n]:
			roots = append(roots, n)
		}
	}
	return roots
}

func poison(nodes gorgonia.Nodes) {
	for _, n := range nodes {
		switch v := n.Value().Data().(type) {
		case []float32:
			for i := range v {
				v[i] = float32(math.NaN())
			}
		case []float64:
			for i := range v {
				v[i] = math.NaN()
			}
		}
	}
}

// TestNoTwoLiveResultsOverlap looks at where the results of a run are.
func TestNoTwoLiveResultsOverlap(t *testing.T) {
	for _, r := range roles(t) {
		t.Run(r.name, func(t *testing.T) {
			c := r.build(t)
			c.run(t, 0)
			s := c.inspect(t)
			var arrays gorgonia.Nodes
			for _, n := range s.order {
				if _, ok := n.Value().(*tensor.Dense); ok && isBuffered(n) {
					arrays = append(arrays, n)
				}
			}
			share := 3 // of 4
			if strings.HasPrefix(r.name, "stock") {
				share = 4
			}
			if sum, covered := extent(s.passing); len(s.passing) > 12 && 4*int(covered) > share*int(sum) {
				t.Errorf("%d results of %d bytes share %d", len(s.passing), sum, covered)
			}
			for i, n := range arrays {
				v := n.Value()
				for _, m := range arrays[:i] {
					w := m.Value()
					if v.Uintptr() < w.Uintptr()+w.MemSize() && w.Uintptr() < v.Uintptr()+v.MemSize() && s.at[n] <= s.last[m] {
						t.Fatalf("%s of step %d lies in %s, which step %d needs", describe(n), s.at[n], describe(m), s.last[m])
					}
				}
			}
		})
	}
}

// extent is the sum of the sizes of the nodes' values and the number of bytes that
// they cover.
func extent(nodes gorgonia.Nodes) (sum, covered uintptr) {
	nodes = slices.Clone(nodes)
	slices.SortFunc(nodes, func(n, m *gorgonia.Node) int { return cmp.Compare(n.Value().Uintptr(), m.Value().Uintptr()) })
	var end uintptr
	for _, n := range nodes {
		from, size := n.Value().Uintptr(), n.Value().MemSize()
		sum += size
		if to := from + size; to > end {
			covered += to - max(from, end)
			end = to
		}
	}
	return sum, covered
}

// TestNothingReadsTheDead does what a machine does, node by node, but fills each
// result with NaN as soon as nothing may need it any more, and before it is
// computed: all values that are kept have the same bits as after a run.
func TestNothingReadsTheDead(t *testing.T) {
	for _, r := range roles(t) {
		t.Run(r.name, func(t *testing.T) {
			c := r.build(t)
			c.run(t, 0)
			s := c.inspect(t)
			must(t, c.program.Run())
			want := make(map[*gorgonia.Node][]float64)
			for _, n := range append(s.roots(), c.program.values...) {
				want[n] = numbers(n.Value())
			}
			values := make(map[*gorgonia.Node]gorgonia.Value)
			for i, n := range s.order {
				if n.Op() == nil {
					values[n] = n.Value()
					continue
				}
				if typeName(n.Op()) == "readOp" {
					continue
				}
				var operands []gorgonia.Value
				for _, c := range children(n) {
					operands = append(operands, values[c])
				}
				if slices.Contains(s.passing, n) {
					poison(gorgonia.Nodes{n})
				}
				v, err := n.Op().Do(operands...)
				must(t, err)
				values[n] = v
				for _, m := range s.passing {
					if s.last[m] == i {
						poison(gorgonia.Nodes{m})
					}
				}
			}
			if len(want) == 0 {
				t.Fatal("nothing is kept")
			}
			for n, w := range want {
				equalBits(t, describe(n), numbers(values[n]), w)
			}
		})
	}
}
