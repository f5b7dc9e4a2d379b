// This program shows how little changes when a solver of Gorgonia is replaced by one
// that adapts its learning rate. It trains a net on 8×8 digits, as Gorgonia's tutorials
// do. There are two versions: plain uses Gorgonia's Momentum, apo uses trainers.Wrap.
// They differ only in the lines about the solver:
//
//	go run ./examples/dropin/plain
//	go run ./examples/dropin/apo
//	diff examples/dropin/plain/main.go examples/dropin/apo/main.go
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

const about = `Trains a net with one hidden layer on 8x8 digits, which come with the program, and
prints the mean loss and the accuracy on the test set after every epoch.

There are two versions: plain trains with Gorgonia's Momentum, apo with a solver
that adapts the learning rate. Both start from the same weights, at a learning rate
that is far too low, and train on the same batches.

    diff examples/dropin/plain/main.go examples/dropin/apo/main.go

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`

const (
	inputs, hidden, classes = 64, 100, 10
	batchSize               = 32
)

// net is a graph with two layers, for batches of so many rows.
type net struct {
	g         *gorgonia.ExprGraph
	x, y      *gorgonia.Node // images and one-hot labels
	params    gorgonia.Nodes
	logits    *gorgonia.Node
	cost      *gorgonia.Node
	xVal      *tensor.Dense
	yVal      *tensor.Dense
	costVal   gorgonia.Value
	logitsVal gorgonia.Value
}

// newNet builds the graph over the given weights.
func newNet(rows int, weights []*tensor.Dense) *net {
	n := &net{g: gorgonia.NewGraph()}
	n.xVal = tensor.New(tensor.WithShape(rows, inputs), tensor.Of(tensor.Float64))
	n.yVal = tensor.New(tensor.WithShape(rows, classes), tensor.Of(tensor.Float64))
	n.x = gorgonia.NewMatrix(n.g, tensor.Float64, gorgonia.WithValue(n.xVal), gorgonia.WithName("x"))
	n.y = gorgonia.NewMatrix(n.g, tensor.Float64, gorgonia.WithValue(n.yVal), gorgonia.WithName("y"))
	for i, name := range []string{"w0", "b0", "w1", "b1"} {
		n.params = append(n.params, gorgonia.NewMatrix(n.g, tensor.Float64, gorgonia.WithValue(weights[i]), gorgonia.WithName(name)))
	}
	h := gorgonia.Must(gorgonia.Tanh(layer(n.x, n.params[0], n.params[1])))
	n.logits = layer(h, n.params[2], n.params[3])

	// Cross-entropy: the mean of log Σ exp(logits) less the logit of the label.
	sums := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Exp(n.logits)), 1))
	right := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(n.logits, n.y)), 1))
	n.cost = gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Sub(gorgonia.Must(gorgonia.Log(sums)), right))))
	gorgonia.Read(n.cost, &n.costVal)
	gorgonia.Read(n.logits, &n.logitsVal)
	return n
}

func layer(x, w, b *gorgonia.Node) *gorgonia.Node {
	return gorgonia.Must(gorgonia.BroadcastAdd(gorgonia.Must(gorgonia.Mul(x, w)), b, nil, []byte{0}))
}

// initialWeights draws the weights, which are the same in every run.
func initialWeights() []*tensor.Dense {
	rng := rand.New(rand.NewPCG(1, 1))
	normal := func(rows, cols int) *tensor.Dense {
		w := make([]float64, rows*cols)
		for i := range w {
			w[i] = rng.NormFloat64() / math.Sqrt(float64(rows))
		}
		return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(w))
	}
	zeros := func(cols int) *tensor.Dense { return tensor.New(tensor.WithShape(1, cols), tensor.Of(tensor.Float64)) }
	return []*tensor.Dense{normal(inputs, hidden), zeros(hidden), normal(hidden, classes), zeros(classes)}
}

// feed copies the given examples into the graph's inputs.
func (n *net) feed(images []float64, labels []int, rows []int) {
	x, y := n.xVal.Float64s(), n.yVal.Float64s()
	clear(y)
	for i, r := range rows {
		copy(x[i*inputs:(i+1)*inputs], images[r*inputs:])
		y[i*classes+labels[r]] = 1
	}
}

func main() { os.Exit(cli.Run(run)) }

func run(ctx context.Context, args []string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet(filepath.Base(os.Args[0]), flag.ContinueOnError)
	epochs := flags.Int("epochs", 20, "passes over the training set")
	rate := flags.Float64("rate", 1e-4, "initial learning `rate`, far too low")
	if err := cli.Parse(flags, args, about, stdout); err != nil {
		return err
	}
	if err := cli.First(cli.Between("epochs", *epochs, 1, cli.MostEpochs), cli.Rate("rate", rate)); err != nil {
		return cli.AsUsage(err)
	}
	library, err := apoops.UseLibraries()
	check(err)
	fmt.Fprintln(stdout, "BLAS:", library)
	train, test, err := datasets.Digits(tensor.Float64)
	check(err)

	weights := initialWeights()
	n := newNet(batchSize, weights)
	_, err = gorgonia.Grad(n.cost, n.params...)
	check(err)
	solver := gorgonia.NewMomentum(gorgonia.WithLearnRate(*rate), gorgonia.WithMomentum(0.9))
	vm := gorgonia.NewTapeMachine(n.g, gorgonia.BindDualValues(n.params...))
	defer vm.Close()
	eval := newNet(test.Len(), weights)
	evalVM := gorgonia.NewTapeMachine(eval.g)
	defer evalVM.Close()

	rng := rand.New(rand.NewPCG(2, 2))
	for epoch := 1; epoch <= *epochs && ctx.Err() == nil; epoch++ {
		order := rng.Perm(train.Len())
		loss, batches := 0.0, train.Len()/batchSize
		for i := range batches {
			n.feed(train.X.Float64s(), train.T.Ints(), order[i*batchSize:(i+1)*batchSize])
			check(vm.RunAll())
			check(solver.Step(gorgonia.NodesToValueGrads(n.params)))
			vm.Reset()
			loss += n.costVal.Data().(float64) / float64(batches)
		}
		fmt.Fprintf(stdout, "epoch %d: loss %.4f, test accuracy %.2f%%\n", epoch, loss, 100*accuracy(eval, evalVM, test.X.Float64s(), test.T.Ints()))
	}
	return ctx.Err()
}

// accuracy is the fraction of the examples whose largest logit is the label's.
func accuracy(n *net, vm gorgonia.VM, images []float64, labels []int) float64 {
	rows := make([]int, len(labels))
	for i := range rows {
		rows[i] = i
	}
	n.feed(images, labels, rows)
	check(vm.RunAll())
	vm.Reset()
	logits, right := n.logitsVal.Data().([]float64), 0
	for i, label := range labels {
		best := 0
		for j, v := range logits[i*classes : (i+1)*classes] {
			if v > logits[i*classes+best] {
				best = j
			}
		}
		if best == label {
			right++
		}
	}
	return float64(right) / float64(len(labels))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
