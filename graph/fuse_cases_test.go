package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// conv is a convolution of an input by filters that are learned.
func conv(s *sketch, stride, pad, dilation []int) *gorgonia.Node {
	return gorgonia.Must(gorgonia.Conv2d(s.input(2, 2, 6, 5), s.param(3, 2, 3, 2), tensor.Shape{3, 2}, pad, stride, dilation))
}

func plainConv(s *sketch) *gorgonia.Node {
	return conv(s, []int{1, 1}, []int{1, 1}, []int{1, 1})
}

// affine is x·W + b.
func affine(s *sketch, rows, in, out int) *gorgonia.Node {
	must := gorgonia.Must
	return must(gorgonia.BroadcastAdd(must(gorgonia.Mul(s.input(rows, in), s.param(in, out))), s.param(out), nil, []byte{0}))
}

var fusedCases = []fuseCase{
	{"convolution, bias, rectifier", func(s *sketch) *gorgonia.Node {
		y := gorgonia.Must(gorgonia.BroadcastAdd(conv(s, []int{2, 1}, []int{1, 2}, []int{1, 2}), s.param(1, 3, 1, 1), nil, []byte{0, 2, 3}))
		return sumOfCubes(gorgonia.Must(gorgonia.Rectify(y)))
	}, []string{"apoops.conv([3 2]/[2 1]+[1 2]*[1 2]).rectify", "apoops.filterMatrix"}, stockOps},
	{"bias, convolution, sigmoid", func(s *sketch) *gorgonia.Node {
		y := gorgonia.Must(gorgonia.BroadcastAdd(s.param(1, 3, 1, 1), plainConv(s), []byte{0, 2, 3}, nil))
		return sumOfCubes(gorgonia.Must(gorgonia.Sigmoid(y)))
	}, []string{"apoops.conv([3 2]/[1 1]+[1 1]*[1 1]).sigmoid"}, stockOps},
	{"convolution alone", func(s *sketch) *gorgonia.Node { return sumOfCubes(plainConv(s)) }, []string{"apoops.conv"}, stockOps},
	{"convolution in one axis", func(s *sketch) *gorgonia.Node {
		y := gorgonia.Must(gorgonia.Conv1d(s.input(2, 2, 1, 9), s.param(3, 2, 1, 3), 3, 1, 2, 1))
		return sumOfCubes(gorgonia.Must(gorgonia.Tanh(y)))
	}, []string{"apoops.conv([1 3]/[1 2]+[0 1]*[1 1]).tanh"}, stockOps},
	{"two convolutions", func(s *sketch) *gorgonia.Node {
		h := gorgonia.Must(gorgonia.Tanh(plainConv(s)))
		return sumOfCubes(gorgonia.Must(gorgonia.Conv2d(h, s.param(2, 3, 2, 2), tensor.Shape{2, 2}, nil, []int{1, 1}, nil)))
	}, []string{"apoops.conv([3 2]", "apoops.conv([2 2]"}, stockOps},
	{"filters used twice", func(s *sketch) *gorgonia.Node {
		f := s.param(2, 2, 3, 3)
		h := gorgonia.Must(gorgonia.Conv2d(s.input(2, 2, 4, 4), f, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, nil))
		return sumOfCubes(gorgonia.Must(gorgonia.Conv2d(h, f, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, nil)))
	}, []string{"apoops.conv"}, stockOps},
	{"one image of one point", func(s *sketch) *gorgonia.Node {
		y := gorgonia.Must(gorgonia.Conv2d(s.input(1, 2, 2, 2), s.param(3, 2, 2, 2), tensor.Shape{2, 2}, nil, []int{1, 1}, nil))
		return sumOfCubes(gorgonia.Must(gorgonia.Add(y, s.param(1, 3, 1, 1))))
	}, []string{"apoops.conv"}, stockOps},
	{"affine, vector", func(s *sketch) *gorgonia.Node {
		return sumOfCubes(gorgonia.Must(gorgonia.Rectify(affine(s, 4, 3, 5))))
	}, []string{"apoops.dense.rectify"}, stockOps},
	{"affine, row", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		y := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(s.input(4, 3), s.param(3, 5))), s.param(1, 5), nil, []byte{0}))
		return sumOfCubes(must(gorgonia.Tanh(y)))
	}, []string{"apoops.dense.tanh"}, stockOps},
	{"product", func(s *sketch) *gorgonia.Node {
		return sumOfCubes(gorgonia.Must(gorgonia.Sigmoid(gorgonia.Must(gorgonia.Mul(s.input(4, 3), s.param(3, 5))))))
	}, []string{"apoops.dense.sigmoid"}, stockOps},
	{"two layers", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		h := must(gorgonia.Rectify(affine(s, 4, 3, 5)))
		y := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(h, s.param(5, 2))), s.param(1, 2), nil, []byte{0}))
		return sumOfCubes(y)
	}, []string{"apoops.dense.rectify", "apoops.dense.identity"}, stockOps},
	{"positive part by >", func(s *sketch) *gorgonia.Node {
		y := affine(s, 4, 3, 5)
		mask := gorgonia.Must(gorgonia.Gt(y, gorgonia.NewConstant(0.0), true))
		return sumOfCubes(gorgonia.Must(gorgonia.HadamardProd(mask, y)))
	}, []string{"apoops.dense.relu"}, stockOps},
	{"batch norm of images", func(s *sketch) *gorgonia.Node {
		y, _, _, _, err := gorgonia.BatchNorm(plainConv(s), s.param(1, 3, 1, 1), s.param(1, 3, 1, 1), 0.1, 1e-3)
		return sumOfCubes(gorgonia.Must(gorgonia.Rectify(orFail(s, y, err))))
	}, []string{"apoops.batchNorm.rectify", "apoops.conv"}, append([]string{"⊙"}, stockOps...)},
	{"batch norm of vectors", func(s *sketch) *gorgonia.Node {
		x := gorgonia.Must(gorgonia.Mul(s.input(4, 3), s.param(3, 2)))
		y, _, _, _, err := gorgonia.BatchNorm(x, s.param(1, 2), s.param(1, 2), 0.1, 1e-3)
		return sumOfCubes(gorgonia.Must(gorgonia.Tanh(orFail(s, y, err))))
	}, []string{"apoops.batchNorm.tanh", "apoops.dense"}, append([]string{"⊙"}, stockOps...)},
	{"residual", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		h := must(gorgonia.Tanh(affine(s, 4, 3, 3)))
		return sumOfCubes(must(gorgonia.Rectify(must(gorgonia.Add(must(gorgonia.Tanh(must(gorgonia.Mul(h, s.param(3, 3))))), h)))))
	}, []string{"apoops.add.rectify"}, append([]string{"+"}, stockOps...)},
	{"mean squared error", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(affine(s, 4, 3, 5), s.target(4, 5)))))))
	}, []string{"apoops.squaredError", "apoops.times"}, append([]string{"Σ", "-"}, stockOps...)},
	{"half the squared distance", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		d := must(gorgonia.Sub(s.target(4, 2), affine(s, 4, 3, 2)))
		sum := must(gorgonia.Sum(must(gorgonia.HadamardProd(d, d))))
		return must(gorgonia.Div(sum, gorgonia.NewConstant(8.0)))
	}, []string{"apoops.squaredError"}, append([]string{"Σ", "-", "apoops.times"}, stockOps...)},
	{"squared error of vectors", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(must(gorgonia.Mul(s.input(4, 3), s.param(3))), s.target(4)))))))
	}, []string{"apoops.squaredError"}, nil},
	{"cross-entropy of bits, mean", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		return must(gorgonia.Mean(must(gorgonia.BinaryXent(must(gorgonia.Sigmoid(affine(s, 4, 3, 2))), s.target(4, 2)))))
	}, []string{"apoops.bernoulliCrossEntropy", "apoops.dense.identity", "apoops.times"}, append([]string{"Σ", "⊙"}, stockOps...)},
	{"cross-entropy of bits by hand", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		one := gorgonia.NewConstant(1.0)
		p, t := must(gorgonia.Sigmoid(affine(s, 4, 3, 2))), s.target(4, 2)
		hit := must(gorgonia.HadamardProd(must(gorgonia.Log(p)), t))
		miss := must(gorgonia.HadamardProd(must(gorgonia.Sub(one, t)), must(gorgonia.Log(must(gorgonia.Sub(one, p))))))
		return must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.Add(miss, hit)), 1))))))
	}, []string{"apoops.bernoulliCrossEntropy"}, append([]string{"Σ", "⊙", "apoops.times"}, stockOps...)},
	{"cross-entropy of classes", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		log := must(gorgonia.Log(must(gorgonia.SoftMax(affine(s, 4, 3, 5)))))
		return must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.HadamardProd(s.target(4, 5), log)), 1))))))
	}, []string{"apoops.softCrossEntropy", "apoops.dense.identity"}, append([]string{"Σ", "⊙", "apoops.times"}, stockOps...)},
	{"cross-entropy of classes, mean of all", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		log := must(gorgonia.LogSoftMax(affine(s, 4, 3, 5), 1))
		return must(gorgonia.Mean(must(gorgonia.Neg(must(gorgonia.HadamardProd(log, s.target(4, 5)))))))
	}, []string{"apoops.softCrossEntropy", "apoops.times"}, append([]string{"Σ", "⊙"}, stockOps...)},
	{"cross-entropy of classes by hand", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		z := affine(s, 4, 3, 5)
		sums := must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(z)), 1))))
		return must(gorgonia.Mean(must(gorgonia.Sub(sums, must(gorgonia.Sum(must(gorgonia.HadamardProd(z, s.target(4, 5))), 1))))))
	}, []string{"apoops.softmaxNLL", "apoops.dense.identity"}, append([]string{"Σ", "⊙", "exp", "ln", "apoops.times"}, stockOps...)},
	{"cross-entropy by hand of targets of any sum", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		z := affine(s, 4, 3, 5)
		sums := must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(z)), 1))))
		hits := must(gorgonia.Sum(must(gorgonia.HadamardProd(s.input(4, 5), z)), 1))
		return must(gorgonia.Neg(must(gorgonia.Sum(must(gorgonia.Sub(hits, sums))))))
	}, []string{"apoops.softmaxNLL", "apoops.times"}, append([]string{"Σ", "⊙"}, stockOps...)},
	{"leaky rectifier", func(s *sketch) *gorgonia.Node {
		return sumOfCubes(gorgonia.Must(gorgonia.LeakyRelu(affine(s, 4, 3, 5), 0.1)))
	}, []string{"apoops.leakyReLU", "apoops.dense.identity"}, append([]string{"⊙", "<"}, stockOps...)},
	{"arithmetic", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		a, b := affine(s, 4, 3, 5), must(gorgonia.Tanh(must(gorgonia.Mul(s.Inputs[0], s.param(3, 5)))))
		gate := must(gorgonia.HadamardProd(must(gorgonia.Neg(a)), b))
		scaled := must(gorgonia.HadamardProd(gorgonia.NewConstant(3.0), must(gorgonia.Sub(gate, b))))
		return sumOfCubes(must(gorgonia.Div(must(gorgonia.Square(scaled)), gorgonia.NewConstant(7.0))))
	}, []string{"apoops.product", "apoops.minus", "apoops.times"}, append([]string{"⊙", "-", "÷", "neg"}, stockOps...)},
	{"a whole net", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		h := must(gorgonia.BroadcastAdd(plainConv(s), s.param(1, 3, 1, 1), nil, []byte{0, 2, 3}))
		h = must(gorgonia.MaxPool2D(must(gorgonia.Rectify(h)), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
		h = must(gorgonia.Reshape(h, tensor.Shape{2, 27}))
		h = must(gorgonia.Rectify(must(gorgonia.BroadcastAdd(must(gorgonia.Mul(h, s.param(27, 6))), s.param(6), nil, []byte{0}))))
		z := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(h, s.param(6, 4))), s.param(4), nil, []byte{0}))
		return must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.HadamardProd(must(gorgonia.Log(must(gorgonia.SoftMax(z)))), s.target(2, 4)))))))
	}, []string{"apoops.softCrossEntropy", "apoops.conv", "apoops.dense"}, append([]string{"Σ", "⊙", "+", "-", "÷", "neg", "SizeOf", "Reshape"}, stockOps...)},
	{"two losses and a penalty", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		h := must(gorgonia.Tanh(affine(s, 4, 3, 5)))
		a, b := must(gorgonia.Mul(h, s.param(5, 3))), must(gorgonia.Mul(h, s.param(5, 2)))
		class := must(gorgonia.Neg(must(gorgonia.Sum(must(gorgonia.HadamardProd(must(gorgonia.LogSoftMax(a)), s.target(4, 3)))))))
		value := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(b, s.target(4, 2)))))))
		penalty := must(gorgonia.Mul(gorgonia.NewConstant(0.1), must(gorgonia.Sum(must(gorgonia.Square(s.Params[2]))))))
		return must(gorgonia.Add(must(gorgonia.Add(class, value)), penalty))
	}, []string{"apoops.softCrossEntropy", "apoops.squaredError"}, nil},
}

// orFail returns y, or fails.
func orFail(s *sketch, y *gorgonia.Node, err error) *gorgonia.Node {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return y
}

// almostCases are not what they look like, in one point.
var almostCases = []fuseCase{
	{"the pre-activation is read twice", func(s *sketch) *gorgonia.Node {
		z := affine(s, 4, 3, 5)
		return gorgonia.Must(gorgonia.Add(sumOfCubes(gorgonia.Must(gorgonia.Tanh(z))), sumOfCubes(z)))
	}, []string{"apoops.dense.identity", "apoops.tanh"}, []string{"apoops.dense.tanh"}},
	{"the product is read twice", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		y := must(gorgonia.Mul(s.input(4, 3), s.param(3, 5)))
		return must(gorgonia.Add(sumOfCubes(must(gorgonia.BroadcastAdd(y, s.param(1, 5), nil, []byte{0}))), sumOfCubes(y)))
	}, []string{"apoops.dense.identity", "apoops.add"}, nil},
	{"a bias for each row", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		y := must(gorgonia.Mul(s.input(4, 3), s.param(3, 4)))
		return sumOfCubes(must(gorgonia.BroadcastAdd(y, s.param(4, 1), nil, []byte{1})))
	}, []string{"apoops.dense.identity", "apoops.add"}, nil},
	{"a bias for each place", func(s *sketch) *gorgonia.Node {
		return sumOfCubes(gorgonia.Must(gorgonia.BroadcastAdd(plainConv(s), s.param(1, 1, 6, 6), nil, []byte{0, 1})))
	}, []string{"apoops.conv", "apoops.add"}, nil},
	{"the factor is learned too", func(s *sketch) *gorgonia.Node {
		return sumOfCubes(gorgonia.Must(gorgonia.Mul(s.param(4, 3), s.param(3, 2))))
	}, []string{"A × B"}, []string{"apoops.dense"}},
	{"the image is learned too", func(s *sketch) *gorgonia.Node {
		s.input(1)
		return sumOfCubes(gorgonia.Must(gorgonia.Conv2d(s.param(1, 2, 4, 4), s.param(3, 2, 3, 2), tensor.Shape{3, 2}, nil, []int{1, 1}, nil)))
	}, []string{"im2col"}, []string{"apoops.conv"}},
	{"another threshold", func(s *sketch) *gorgonia.Node {
		y := affine(s, 4, 3, 5)
		mask := gorgonia.Must(gorgonia.Gte(y, gorgonia.NewConstant(0.25), true))
		return sumOfCubes(gorgonia.Must(gorgonia.HadamardProd(y, mask)))
	}, []string{">="}, []string{"apoops.rectify", "apoops.dense.rectify"}},
	{"another's mask", func(s *sketch) *gorgonia.Node {
		y := affine(s, 4, 3, 5)
		mask := gorgonia.Must(gorgonia.Gte(gorgonia.Must(gorgonia.Mul(s.Inputs[0], s.param(3, 5))), gorgonia.NewConstant(0.0), true))
		// What is read through a mask alone has no gradient.
		return gorgonia.Must(gorgonia.Add(sumOfCubes(gorgonia.Must(gorgonia.HadamardProd(y, mask))), sumOfCubes(s.Params[2])))
	}, []string{">="}, []string{"apoops.rectify", "apoops.dense.rectify"}},
	{"patches brought back otherwise", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		patches := must(gorgonia.Im2Col(s.input(2, 2, 4, 4), tensor.Shape{2, 2}, tensor.Shape{0, 0}, tensor.Shape{1, 1}, tensor.Shape{1, 1}))
		y := must(gorgonia.Mul(must(gorgonia.Reshape(patches, tensor.Shape{18, 8})), s.param(8, 3)))
		return sumOfCubes(must(gorgonia.Transpose(must(gorgonia.Reshape(y, tensor.Shape{2, 3, 3, 3})), 0, 3, 2, 1)))
	}, []string{"im2col"}, []string{"apoops.conv"}},
	{"both sides of the difference are learned", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		y := affine(s, 4, 3, 2)
		return must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(y, must(gorgonia.Mul(s.Inputs[0], s.param(3, 2)))))))))
	}, []string{"apoops.product"}, []string{"apoops.squaredError"}},
	{"the square is read twice", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		d := must(gorgonia.Square(must(gorgonia.Sub(affine(s, 4, 3, 2), s.target(4, 2)))))
		return must(gorgonia.Add(must(gorgonia.Mean(d)), sumOfCubes(d)))
	}, []string{"apoops.product"}, []string{"apoops.squaredError"}},
	{"the sums are along the other axis", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		z := affine(s, 4, 3, 5)
		sums := must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(z)), 0))))
		hits := must(gorgonia.Sum(must(gorgonia.HadamardProd(z, s.target(4, 5))), 0))
		return must(gorgonia.Mean(must(gorgonia.Sub(sums, hits))))
	}, []string{"exp"}, []string{"apoops.softmaxNLL"}},
	{"the softmax is along the other axis", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		hits := must(gorgonia.HadamardProd(must(gorgonia.LogSoftMax(affine(s, 4, 3, 5), 0)), s.target(4, 5)))
		return must(gorgonia.Neg(must(gorgonia.Mean(hits))))
	}, []string{"apoops.product"}, []string{"apoops.softCrossEntropy"}},
	{"the targets are learned too", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		hits := must(gorgonia.HadamardProd(must(gorgonia.LogSoftMax(affine(s, 4, 3, 5))), must(gorgonia.Tanh(s.param(4, 5)))))
		return must(gorgonia.Neg(must(gorgonia.Mean(hits))))
	}, []string{"apoops.product"}, []string{"apoops.softCrossEntropy"}},
	{"leaky by two masks", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		x, zero := affine(s, 4, 3, 5), gorgonia.NewConstant(0.0)
		above := must(gorgonia.HadamardProd(x, must(gorgonia.Gte(x, zero, true))))
		below := must(gorgonia.HadamardProd(x, must(gorgonia.Lte(x, zero, true))))
		return sumOfCubes(must(gorgonia.Add(above, must(gorgonia.HadamardProd(below, gorgonia.NewConstant(0.1))))))
	}, []string{"<="}, []string{"apoops.leakyReLU"}},
	{"bits that do not add up to 1", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		p, t := must(gorgonia.Sigmoid(affine(s, 4, 3, 2))), s.target(4, 2)
		hit := must(gorgonia.HadamardProd(t, must(gorgonia.Log(p))))
		rest := must(gorgonia.Sub(gorgonia.NewConstant(2.0), t))
		miss := must(gorgonia.HadamardProd(rest, must(gorgonia.Log(must(gorgonia.Sub(gorgonia.NewConstant(1.0), p))))))
		return must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Add(hit, miss))))))
	}, []string{"softplus"}, []string{"apoops.bernoulliCrossEntropy"}},
	{"bits of two layers", func(s *sketch) *gorgonia.Node {
		must := gorgonia.Must
		one := gorgonia.NewConstant(1.0)
		p, t := must(gorgonia.Sigmoid(affine(s, 4, 3, 2))), s.target(4, 2)
		q := must(gorgonia.Sigmoid(must(gorgonia.Mul(s.Inputs[0], s.param(3, 2)))))
		hit := must(gorgonia.HadamardProd(t, must(gorgonia.Log(p))))
		miss := must(gorgonia.HadamardProd(must(gorgonia.Sub(one, t)), must(gorgonia.Log(must(gorgonia.Sub(one, q))))))
		return must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Add(hit, miss))))))
	}, []string{"softplus"}, []string{"apoops.bernoulliCrossEntropy"}},
}
