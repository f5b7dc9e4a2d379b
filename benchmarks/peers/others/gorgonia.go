package main

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// newGorgonia trains with Gorgonia's own ops, tape machine and solver; with gonum's BLAS,
// as it comes, or this project's.
func newGorgonia(t *task, ours bool) (step stepper, library, products string, err error) {
	products = "gonum"
	if ours {
		if products, err = blas.Use(); err != nil {
			return nil, "", "", err
		}
	}
	g := gorgonia.NewGraph()
	y := matrix(g, "x", t.examples, t.layers[0].in, t.x)
	var learned gorgonia.Nodes
	for i, l := range t.layers {
		w := matrix(g, fmt.Sprint("weights", i), l.in, l.out, l.weights)
		b := matrix(g, fmt.Sprint("biases", i), 1, l.out, l.biases)
		learned = append(learned, w, b)
		if y, err = dense(y, w, b, i < len(t.layers)-1); err != nil {
			return nil, "", "", err
		}
	}
	loss, err := crossEntropy(y, t.classes)
	if err != nil {
		return nil, "", "", err
	}
	if _, err := gorgonia.Grad(loss, learned...); err != nil {
		return nil, "", "", err
	}
	var value gorgonia.Value
	gorgonia.Read(loss, &value)
	machine := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(learned...))
	solver := gorgonia.NewMomentum(gorgonia.WithLearnRate(learningRate), gorgonia.WithMomentum(momentum))
	weights := gorgonia.NodesToValueGrads(learned)
	return func() (float64, error) {
		if err := machine.RunAll(); err != nil {
			return 0, err
		}
		loss := float64(value.Data().(float32))
		if err := solver.Step(weights); err != nil {
			return 0, err
		}
		machine.Reset()
		return loss, nil
	}, version("gorgonia.org/gorgonia"), products, nil
}

// matrix is a node with a value.
func matrix(g *gorgonia.ExprGraph, name string, rows, columns int, values []float32) *gorgonia.Node {
	return gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(rows, columns), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.WithShape(rows, columns), tensor.WithBacking(values))))
}

// dense is x·w + b, or the positive part of it.
func dense(x, w, b *gorgonia.Node, rectified bool) (*gorgonia.Node, error) {
	y, err := gorgonia.Mul(x, w)
	if err == nil {
		y, err = gorgonia.BroadcastAdd(y, b, nil, []byte{0})
	}
	if err == nil && rectified {
		y, err = gorgonia.Rectify(y)
	}
	return y, err
}

// crossEntropy is the mean cross-entropy of the softmax of y with the classes.
func crossEntropy(y *gorgonia.Node, classes []int) (*gorgonia.Node, error) {
	n, width := len(classes), y.Shape()[1]
	hot := make([]float32, n*width)
	for i, c := range classes {
		hot[i*width+c] = 1
	}
	p, err := gorgonia.SoftMax(y)
	if err == nil {
		p, err = gorgonia.Log(p)
	}
	if err == nil {
		p, err = gorgonia.HadamardProd(p, matrix(y.Graph(), "t", n, width, hot))
	}
	if err == nil {
		p, err = gorgonia.Sum(p)
	}
	if err != nil {
		return nil, err
	}
	return gorgonia.Mul(p, gorgonia.NewConstant(float32(-1)/float32(n)))
}
