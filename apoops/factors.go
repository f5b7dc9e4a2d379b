package apoops

import "gorgonia.org/gorgonia"

// Factors are what the gradient of a layer's weights is a product of:
// dW = [a,1]ᵀ·s for a fully connected layer, the sum of that over all patches for
// a convolution (a without the 1 where Bias is false).
type Factors struct {
	A    *gorgonia.Node // inputs of the layer, N×n; images N×C×H×W of a convolution
	S    *gorgonia.Node // gradients of the mean loss by the pre-activations, N×m or N×m×OH×OW
	Bias bool           // the last row of the weights is the bias
	// Conv is the geometry of a convolution, nil for a fully connected layer.
	Conv *Conv
}

// GradientFactors finds the factors of a gradient node of Dense, Linear or Conv2D;
// it adds the node of S to the graph where there is none yet. ok is false for all
// others, such as the sum of the gradients of weights that are used twice.
func GradientFactors(n *gorgonia.Node) (f Factors, ok bool) {
	switch o := n.Op().(type) {
	case *op[float32]:
		f, ok = layerOf(o)
	case *op[float64]:
		f, ok = layerOf(o)
	}
	if !ok {
		return Factors{}, false
	}
	operands := Operands(n)
	f.A, f.S = operands[0], operands[1]
	if len(operands) == 2 {
		return f, true
	}
	// A convolution with an activation: S is dy as yet, the third is y.
	s, err := activationGradient(f.Conv.Activation, operands[2], f.S)
	f.S = s
	return f, err == nil
}

// layerOf is the layer whose gradient an op computes, without the nodes.
func layerOf[T Float](o *op[T]) (f Factors, ok bool) {
	switch k := o.k.(type) {
	case *denseGradW[T]:
		return Factors{Bias: k.bias > 0}, true
	case *convGradW[T]:
		return Factors{Bias: !k.c.NoBias, Conv: &k.c}, true
	}
	return Factors{}, false
}
