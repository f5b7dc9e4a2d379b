package apoops_test

import (
	"fmt"
	"log"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Layers without a bias, with one that is a node of its own, and with the weights of an
// embedding, outputs×inputs.
func ExampleLinear() {
	s, must := newSheet(), gorgonia.Must
	x, w := s.leaf(tensor.Shape{1, 2}, 1, 2), s.leaf(tensor.Shape{2, 1}, 1, -1)
	s.show("%.1f", must(apoops.Linear(x, w, apoops.Identity)), must(apoops.Affine(x, w, s.leaf(tensor.Shape{1}, 0.5), apoops.ReLUAct)),
		must(apoops.LinearTransposed(x, s.leaf(tensor.Shape{1, 2}, 1, -1))))
	// Output:
	// [-1.0]
	// [0.0]
	// [-1.0]
}

// One image 3×3: a convolution with a kernel of ones and a bias of ½, and pooling.
func ExampleConv2D() {
	s, must := newSheet(), gorgonia.Must
	x := s.leaf(tensor.Shape{1, 1, 3, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	w := must(apoops.FilterMatrix(s.leaf(tensor.Shape{1, 1, 2, 2}, 1, 1, 1, 1), s.leaf(tensor.Shape{1}, 0.5)))
	step := apoops.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}}
	s.show("%.1f",
		must(apoops.Conv2D(x, w, apoops.Conv{Kernel: [2]int{2, 2}})),
		must(apoops.MaxPool2D(x, step)), must(apoops.AvgPool2D(x, step)), must(apoops.GlobalAvgPool2D(x)),
		must(apoops.Subsample(x, 2, 1)), must(apoops.Pad2D(x, 0, 1)))
	// Output:
	// [12.5 16.5 24.5 28.5]
	// [5.0 6.0 8.0 9.0]
	// [3.0 4.0 6.0 7.0]
	// [5.0]
	// [1.0 3.0 7.0 9.0]
	// [0.0 1.0 2.0 3.0 0.0 0.0 4.0 5.0 6.0 0.0 0.0 7.0 8.0 9.0 0.0]
}

// Two examples of one channel: by their own mean 2 and variance 1, and by others. The variance
// for running statistics divides by one less.
func ExampleBatchNorm() {
	s, must := newSheet(), gorgonia.Must
	vector := func(v ...float64) *gorgonia.Node { return s.leaf(tensor.Shape{len(v)}, v...) }
	x, scale, shift := s.leaf(tensor.Shape{2, 1}, 1, 3), vector(1), vector(0)
	y, mean, variance, err := apoops.BatchNorm(x, scale, shift, 0, apoops.Identity)
	if err != nil {
		log.Fatal(err)
	}
	with := must(apoops.BatchNormWith(x, scale, shift, vector(0), vector(4), 0, apoops.Identity))
	rows := must(apoops.LayerNorm(s.leaf(tensor.Shape{1, 2}, 1, 3), vector(1, 1), vector(0, 0), 0))
	s.show("%.1f", y, mean, variance, with, rows)
	// Output:
	// [-1.0 1.0]
	// [2.0]
	// [2.0]
	// [0.5 1.5]
	// [-1.0 1.0]
}

// A query that is 0 has equal weights for the keys that it sees: two, or the first alone. A
// step of decoding has the earlier keys and the new one.
func ExampleAttention() {
	s, must := newSheet(), gorgonia.Must
	q, k, v := s.leaf(tensor.Shape{1, 2}, 0, 0), s.leaf(tensor.Shape{2, 2}, 1, 0, 0, 1), s.leaf(tensor.Shape{2, 2}, 1, 2, 3, 4)
	one := s.numbers(tensor.Shape{1}, 1)
	c := apoops.AttentionSettings{Examples: 1, Heads: 1}
	earlier, now := s.leaf(tensor.Shape{1, 2}, 1, 2), s.leaf(tensor.Shape{1, 2}, 3, 4)
	s.show("%.1f",
		must(apoops.AttentionWeights(q, k, nil, c)), must(apoops.Attention(q, k, v, nil, c)), must(apoops.Attention(q, k, v, one, c)),
		must(apoops.AttentionStep(q, q, now, s.leaf(tensor.Shape{1, 2}, 1, 0), earlier, one, 1)))
	// Output:
	// [0.5 0.5]
	// [2.0 3.0]
	// [1.0 2.0]
	// [2.0 3.0]
}

// The rows of two tokens and of padding, the length of the sentence, and sinusoids.
func ExampleEmbed() {
	s, must := newSheet(), gorgonia.Must
	table, tokens := s.leaf(tensor.Shape{3, 2}, 9, 9, 1, 2, 3, 4), s.numbers(tensor.Shape{1, 3}, 2, 1, 0)
	lengths := must(apoops.Lengths(tokens, 0))
	s.show("%.2f", must(apoops.Embed(table, tokens, 1, 0)), must(apoops.AddPositions(s.leaf(tensor.Shape{2, 4}, make([]float64, 8)...), 2, 1)))
	fmt.Println(lengths.Value().Data())
	// Output:
	// [3.00 4.00 1.00 2.00 0.00 0.00]
	// [0.00 0.00 1.00 1.00 0.84 0.00 0.54 1.00]
	// [2]
}

// The Kronecker factors of KFAC, and EKFAC's squares in the basis of the identity, of the
// layer y = x that learns 3 and 5 from 1 and 2.
func ExampleInputMoment() {
	s, must := newSheet(), gorgonia.Must
	w := s.leaf(tensor.Shape{2, 1}, 1, 0)
	y := must(apoops.Dense(s.leaf(tensor.Shape{2, 1}, 1, 2), w, apoops.Identity))
	grads, err := gorgonia.Grad(must(apoops.SquaredError(y, s.leaf(tensor.Shape{2, 1}, 3, 5))), w)
	if err != nil {
		log.Fatal(err)
	}
	f, ok := apoops.GradientFactors(grads[0])
	if !ok {
		log.Fatal("no gradient of a layer")
	}
	on := new(apoops.Switch)
	s.show("%.1f", must(apoops.InputMoment(f, on)), must(apoops.GradientMoment(f, on)),
		must(apoops.ProjectedSquares(f, s.leaf(tensor.Shape{2, 2}, 1, 0, 0, 1), s.leaf(tensor.Shape{1, 1}, 1), on)))
	// Output:
	// [2.5 1.5 1.5 1.0]
	// [6.5]
	// [20.0 6.5]
}

// Other forms of P than Precondition's: a diagonal S², a full matrix, and P_B·G·P_A.
func ExamplePreconditionDiagonal() {
	s, must := newSheet(), gorgonia.Must
	g := s.leaf(tensor.Shape{1, 2}, 1, 2)
	s.show("%.0f",
		must(apoops.PreconditionDiagonal(s.leaf(tensor.Shape{1, 2}, 2, 3), g)),
		must(apoops.PreconditionFull(s.leaf(tensor.Shape{2, 2}, 0, 1, 1, 0), g)),
		must(apoops.PreconditionLowRank(g, 1, s.leaf(tensor.Shape{1, 1}, 2), s.leaf(tensor.Shape{2, 2}, 1, 0, 0, 5))))
	// Output:
	// [4 18]
	// [2 1]
	// [2 20]
}

// Weights one step on: by a rate e^φ = ½ along d, by an update u, and by half of it. The
// weight-space discrepancy of the first is ½·(½·2)².
func ExampleRateStep() {
	s, must := newSheet(), gorgonia.Must
	theta, d := s.leaf(tensor.Shape{1, 1}, 3), s.leaf(tensor.Shape{1, 1}, 2)
	phi, one, half := s.scalar(math.Log(0.5)), s.scalar(1), s.scalar(0.5)
	s.show("%.1f", must(apoops.RateStep(theta, d, phi, one, false)), must(apoops.Lookahead(theta, d)), must(apoops.ScaledLookahead(theta, d, half)),
		must(apoops.RateWSD(phi, one, false, gorgonia.Nodes{d}, nil, nil)))
	// Output:
	// [2.0]
	// [1.0]
	// [2.0]
	// 0.5
}

// Rounding to bfloat16. The gradient of Cast16 passes as if there were none; CastData16 counts
// as an input.
func ExampleCast16() {
	s, must := newSheet(), gorgonia.Must
	x := s.leaf(tensor.Shape{1, 2}, 1, 1.01)
	s.show("%v", must(apoops.Cast16(x, apoops.BFloat16)), must(apoops.CastData16(x, apoops.BFloat16)))
	// Output:
	// [1 1.0078125]
	// [1 1.0078125]
}

// A loss that was multiplied by 1024 before it was differentiated: whether its gradient is
// finite, and what it is.
func ExampleUnscale() {
	s, must := newSheet(), gorgonia.Must
	g := s.leaf(tensor.Shape{1, 2}, 512, 2048)
	s.show("%v", must(apoops.Finite(g)), must(apoops.Unscale(g, s.scalar(1024))))
	// Output:
	// 1
	// [0.5 2]
}
