package precond_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// diagonalIdentity is a form as a user writes it, U = (S² + c²·1)∘G.
type diagonalIdentity struct{ form.Base }

func (diagonalIdentity) Name() string { return "diagonal plus identity" }

func (diagonalIdentity) Factors(rows, cols int) []form.Factor {
	return []form.Factor{{Name: "S", Shape: tensor.Shape{rows, cols}}, {Name: "c", Shape: tensor.Shape{1}}}
}

func (diagonalIdentity) Lookahead(phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	diagonal, err := apoops.PreconditionDiagonal(phi[0], g)
	if err != nil {
		return nil, err
	}
	multiple, err := apoops.PreconditionDiagonal(phi[1], g)
	if err != nil {
		return nil, err
	}
	return apoops.Add(diagonal, multiple)
}

func (f diagonalIdentity) Start(s form.Setup) (form.Preconditioner, error) {
	start, err := apoops.Choose(s.Dtype, startDiagonalIdentity[float32], startDiagonalIdentity[float64])
	if err != nil {
		return nil, err
	}
	return start(f.Factors(s.Rows, s.Cols), s.Rate), nil
}

type started[T apoops.Float] struct{ factors []*tensor.Dense }

func startDiagonalIdentity[T apoops.Float](list []form.Factor, rate float64) form.Preconditioner {
	p := &started[T]{}
	for _, q := range list {
		x := make([]T, q.Shape.TotalSize())
		for i := range x {
			x[i] = T(math.Sqrt(rate / 2))
		}
		p.factors = append(p.factors, tensor.New(tensor.WithShape(q.Shape...), tensor.WithBacking(x)))
	}
	return p
}

func (p *started[T]) Factors() []*tensor.Dense { return p.factors }

func (p *started[T]) Multiply(dst, g *tensor.Dense) {
	s, c, out := apoops.Elements[T](p.factors[0]), apoops.Elements[T](p.factors[1])[0], apoops.Elements[T](dst)
	for i, x := range apoops.Elements[T](g) {
		out[i] = (s[i]*s[i] + c*c) * x
	}
}

func (p *started[T]) Bound(norms []float64) float64 {
	return max(norms[0]*norms[0]+norms[1]*norms[1], 1)
}

// TestFormsWrittenElsewhere trains with such a form, saves, and resumes to the same
// bits.
func TestFormsWrittenElsewhere(t *testing.T) {
	blocks := trainers.Blocks(func(params []*graph.Param) ([]graph.Block, error) {
		all := graph.BlockPerParam(params)
		for i := range all {
			all[i].Form = diagonalIdentity{}
		}
		return all, nil
	})
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		x, y := tensor.New(tensor.WithShape(2, 2), tensor.Of(dt)), tensor.New(tensor.WithShape(2, 1), tensor.Of(dt))
		fill, err := apoops.Choose(dt, fillRows[float32], fillRows[float64])
		if err != nil {
			t.Fatal(err)
		}
		fill(x, y)
		start := func() *trainers.Trainer {
			tr, err := trainers.New(layers.MLP(2, 3, 1), graph.SquaredError, precond.Plain(0.05), trainers.Dtype(dt), trainers.EveryK(2), blocks)
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		run := func(tr *trainers.Trainer, steps int) (losses []float64) {
			for range steps {
				s, err := tr.Step(graph.NewBatch(x, y))
				if err != nil {
					t.Fatal(err)
				}
				losses = append(losses, s.Loss)
			}
			return losses
		}
		path := filepath.Join(t.TempDir(), "run")
		tr, twin := start(), start()
		first := run(tr, 31)
		if err := tr.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := twin.Load(path); err != nil {
			t.Fatal(err)
		}
		want := run(tr, 30)
		if got := run(twin, 30); !slices.Equal(got, want) {
			t.Errorf("%v: resumed to the losses %v, want %v", dt, got, want)
		}
		if want[29] > first[0]/5 {
			t.Errorf("%v: the loss went from %v to %v", dt, first[0], want[29])
		}
		for i, q := range start().Phi() {
			if now := tr.Phi()[i]; fmt.Sprint(q.Value.Data()) == fmt.Sprint(now.Value.Data()) {
				t.Errorf("%v: %s was not learned", dt, q.Name)
			}
		}
	}
	_, err := trainers.New(layers.MLP(2, 3, 1), graph.SquaredError, precond.Relative(0), blocks)
	if err == nil || !strings.Contains(err.Error(), `block "dense0": a diagonal plus identity preconditioner is not learned by the relative gradient`) {
		t.Errorf("relative gradient of a form without one: %v", err)
	}
}

func fillRows[T apoops.Float](x, y *tensor.Dense) {
	copy(apoops.Elements[T](x), []T{0.7, -0.2, 0.3, 0.9})
	copy(apoops.Elements[T](y), []T{0.4, -0.6})
}
