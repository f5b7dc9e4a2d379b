package apoops

import "gorgonia.org/gorgonia"

// Factors are what the gradient of a layer's weights is a product of,
// dW = [a,1]ᵀ·s (a without the 1 where Bias is false).
type Factors struct {
	A    *gorgonia.Node // inputs of the layer, N×n
	S    *gorgonia.Node // gradients of the mean loss by the pre-activations, N×m
	Bias bool           // the last row of the weights is the bias
}

// GradientFactors finds the factors of a gradient node that Gorgonia made of
// Dense or Linear; ok is false for all others, such as the sum of the gradients
// of weights that are used twice.
func GradientFactors(n *gorgonia.Node) (f Factors, ok bool) {
	var bias int
	switch o := n.Op().(type) {
	case *op[float32]:
		bias, ok = gradientBias(o)
	case *op[float64]:
		bias, ok = gradientBias(o)
	}
	if !ok {
		return Factors{}, false
	}
	it := n.Graph().From(n.ID())
	it.Next()
	f.A = it.Node().(*gorgonia.Node)
	it.Next()
	f.S = it.Node().(*gorgonia.Node)
	f.Bias = bias > 0
	return f, true
}

func gradientBias[T Float](o *op[T]) (bias int, ok bool) {
	k, ok := o.k.(*denseGradW[T])
	if !ok {
		return 0, false
	}
	return k.bias, true
}
