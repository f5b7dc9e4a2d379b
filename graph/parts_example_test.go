package graph_test

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// twoLayers are the parameters of a net 2-3-1.
func twoLayers() []*graph.Param {
	params, err := layers.MLP(2, 3, 1).Init(1, tensor.Float32)
	check(err)
	return params
}

// One full matrix P for all weights, and for each layer the low rank that Precond gives it.
func ExampleOneBlock() {
	params := twoLayers()
	for _, f := range graph.OneBlock(params)[0].Factors() {
		fmt.Println(f.Name, f.Shape)
	}
	for _, b := range graph.BlockPerParam(params) {
		b.Form = graph.Narrow(b.Form, 1)
		for _, f := range b.Factors() {
			fmt.Println(f.Name, f.Shape)
		}
	}
	// Output:
	// theta/P (13, 13)
	// dense0/V_B (3, 1)
	// dense0/C_B (1, 1)
	// dense0/p_B (1)
	// dense0/V_A (3, 1)
	// dense0/C_A (1, 1)
	// dense0/p_A (1)
	// dense1/V_B (4, 1)
	// dense1/C_B (1, 1)
	// dense1/p_B (1)
	// dense1/C_A (1, 1)
}

// What is wrong with blocks and parameters is an error that names it.
func ExampleCheckBlocks() {
	params := twoLayers()
	blocks := graph.BlockPerParam(params)
	fmt.Println(graph.CheckBlocks(blocks, params))
	fmt.Println(graph.CheckBlocks(blocks[:1], params))
	params[1].Name = "dense0"
	fmt.Println(graph.CheckParams(params))
	// Output:
	// <nil>
	// graph: parameter "dense1" is in no block
	// graph: two parameters are named "dense0"
}

// Two sentences of tokens, padded by 0. The divergence of the loss is replaced.
func ExampleTokenCrossEntropy() {
	s := graph.TokenSettings{Padding: 0, Smoothing: 0.1}
	loss := graph.TokenCrossEntropy(s)
	next := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]int{5, 2, 0, 7, 8, 2}))
	fmt.Println(loss.Count(graph.Batch{T: []*tensor.Dense{next}}), "tokens count")

	fmt.Println(loss.Divergence.Name, loss.Divergence.Name == graph.TokenKL(s).Name)
	loss.Divergence = graph.TokenReverseKL(s)
	loss.Sample = graph.TokenTargets(graph.TokenSettings{Padding: 0, Tokens: 1}) // the source says which positions count
	fmt.Println(loss.Divergence.Name)
	// Output:
	// 5 tokens count
	// token-kl true
	// token-reverse-kl
}

// The place of the first NaN in row-major order.
func ExampleFirstNaN() {
	a := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, math.Inf(1), math.NaN(), 4}))
	fmt.Println(graph.FirstNaN(a))
	// Output: 2
}

// A number of Gorgonia's as an array, and as a number.
func ExampleArray() {
	v := gorgonia.NewF64(3)
	a, ok := graph.Array(v)
	fmt.Println(a.Shape(), a.Data(), ok)
	fmt.Println(graph.ScalarValue(v))
	// Output:
	// (1) [3] true
	// 3 <nil>
}

// Two tensors over the same memory. A tensor that is transposed is not row-major until its
// elements are moved.
func ExampleAlias() {
	t := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, 2, 3, 4}))
	a := graph.Alias(t)
	a.Float64s()[0] = 7
	fmt.Println(t.Data(), graph.SameShapes([]*tensor.Dense{t}, []*tensor.Dense{a}))
	check(t.T())
	fmt.Println(graph.RowMajor(t), graph.RowMajor(a))
	// Output:
	// [7 2 3 4] true
	// false true
}

// A nil pointer in an interface, which is not nil itself, such as a model that was not made.
func ExampleIsNil() {
	var net *layers.Model
	for _, model := range []graph.Model{nil, net, layers.MLP(2, 1)} {
		fmt.Println(graph.IsNil(model))
	}
	// Output:
	// true
	// true
	// false
}

// A leaf of a user's graph is named by the error.
func ExampleCheckLeaves() {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 2))
	a := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, 2, math.NaN(), 4}))
	fmt.Println(graph.CheckLeaves("input", gorgonia.Nodes{x}, []*tensor.Dense{a}))
	// Output:
	// graph: input "x" holds NaN at row 1 (element 2)
}
