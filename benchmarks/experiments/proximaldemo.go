package experiments

import (
	"context"
	"math"

	"github.com/pkg/errors"
	"gonum.org/v1/gonum/optimize"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// proximalDemo fits a net to points, then makes exact proximal updates for one more
// example.
type proximalDemo struct {
	net               *layers.Model
	steps, iterations int // of the fit and of each minimisation
	x, y              float64

	params []*graph.Param
	theta  []float64 // the fitted weights
	grid   graph.Batch
	prox   *graph.Proximal
	eval   *graph.Evaluation
}

func column(x []float64) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(x), 1), tensor.WithBacking(x))
}

// evenly are n points from -2 to 2.
func evenly(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = -2 + 4*float64(i)/float64(n-1)
	}
	return x
}

func (p *proximalDemo) run(ctx context.Context) (*Fig1, error) {
	f := &Fig1{DataX: evenly(41), ExampleX: p.x, ExampleY: p.y, X: evenly(201)}
	for _, x := range f.DataX {
		f.DataY = append(f.DataY, 0.5*math.Sin(2*x))
	}
	if err := p.fit(trainers.Data{X: column(f.DataX), T: column(f.DataY)}); err != nil {
		return nil, err
	}
	p.grid = graph.NewBatch(column(f.X), column(make([]float64, len(f.X))))
	var err error
	if p.eval, err = graph.NewEvaluation(graph.Objective{Model: p.net, Loss: graph.SquaredError}, p.params, p.grid); err != nil {
		return nil, err
	}
	if f.Before, err = p.predict(p.theta); err != nil {
		return nil, err
	}
	for _, w := range fig1Weights {
		panel := Fig1Panel{Name: w.name}
		for _, pair := range w.pairs {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			c := Fig1Curve{LambdaFSD: pair[0], LambdaWSD: pair[1]}
			if c.After, err = p.update(pair[0], pair[1]); err != nil {
				return nil, err
			}
			panel.Curves = append(panel.Curves, c)
		}
		f.Panels = append(f.Panels, panel)
	}
	return f, nil
}

// fit trains the net on all points at once.
func (p *proximalDemo) fit(data trainers.Data) error {
	tr, err := trainers.New(p.net, graph.SquaredError, trainers.Adam(3e-3),
		trainers.EveryK(0), trainers.Dtype(tensor.Float64), trainers.WithSchedule(trainers.Cosine(p.steps, 0)))
	if err != nil {
		return err
	}
	for range p.steps {
		if _, err := tr.Step(graph.NewBatch(data.X, data.T)); err != nil {
			return err
		}
	}
	p.params = tr.Params()
	for _, q := range p.params {
		p.theta = append(p.theta, q.Value.Float64s()...)
	}
	return nil
}

// update returns the outputs on the grid after the exact proximal update.
func (p *proximalDemo) update(lambdaFSD, lambdaWSD float64) ([]float64, error) {
	example := graph.NewBatch(column([]float64{p.x}), column([]float64{p.y}))
	p.setWeights(p.theta)
	var err error
	p.prox, err = graph.NewProximal(graph.ProximalConfig{
		Source: graph.Objective{Model: p.net, Loss: graph.SquaredError}, Params: p.params, Lookahead: graph.Free{},
		Batch: example, Tilde: p.grid.X, NoFSD: lambdaFSD == 0, NoWSD: lambdaWSD == 0,
	})
	if err != nil {
		return nil, err
	}
	if err := p.prox.Feed(example, p.grid.X); err != nil {
		return nil, err
	}
	if err := p.prox.FeedWeights(lambdaFSD, lambdaWSD); err != nil {
		return nil, err
	}
	u, err := p.minimise()
	if err != nil {
		return nil, errors.WithMessagef(err, "λ_FSD %v, λ_WSD %v", lambdaFSD, lambdaWSD)
	}
	return p.predict(u)
}

// minimise returns the u that minimises Eq. 3, starting from θ.
func (p *proximalDemo) minimise() ([]float64, error) {
	var failure error
	run := func(u []float64) {
		if err := p.prox.FeedStep(p.split(u), nil, 1); err != nil {
			failure = err
		} else if err := p.prox.Run(); err != nil {
			failure = err
		}
	}
	problem := optimize.Problem{
		Func: func(u []float64) float64 {
			run(u)
			return p.prox.Terms().Q
		},
		Grad: func(g, u []float64) {
			run(u)
			parts := p.split(g)
			if err := p.prox.Gradient(parts); err != nil {
				failure = err
				return
			}
			at := 0
			for _, d := range parts {
				at += copy(g[at:], d.Float64s())
			}
		},
		Status: func() (optimize.Status, error) { return optimize.NotTerminated, failure },
	}
	r, err := optimize.Minimize(problem, p.theta, &optimize.Settings{
		MajorIterations: p.iterations, GradientThreshold: 1e-8,
		Converger: &optimize.FunctionConverge{Absolute: 1e-13, Iterations: 20},
	}, &optimize.LBFGS{})
	if failure != nil {
		return nil, failure
	}
	if r == nil {
		return nil, err
	}
	// A line search that finds no lower value has reached the minimum up to rounding.
	return r.X, nil
}

// split returns views of a weight vector, one in the shape of each parameter.
func (p *proximalDemo) split(u []float64) []*tensor.Dense {
	parts := make([]*tensor.Dense, len(p.params))
	for i, q := range p.params {
		n := q.Value.Shape().TotalSize()
		parts[i] = tensor.New(tensor.WithShape(q.Value.Shape().Clone()...), tensor.WithBacking(u[:n:n]))
		u = u[n:]
	}
	return parts
}

func (p *proximalDemo) setWeights(u []float64) {
	for _, q := range p.params {
		w := q.Value.Float64s()
		copy(w, u)
		u = u[len(w):]
	}
}

// predict returns the net's outputs on the grid for the weights u.
func (p *proximalDemo) predict(u []float64) ([]float64, error) {
	p.setWeights(u)
	if err := p.eval.Feed(p.grid); err != nil {
		return nil, err
	}
	if err := p.eval.Run(); err != nil {
		return nil, err
	}
	y, ok := p.eval.Output()
	if !ok {
		return nil, errors.New("the net has no output")
	}
	return append([]float64(nil), y.Float64s()...), nil
}
