package layers

import (
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops"
)

// Models with the same parameters and other functions are told apart.
func TestDescribe(t *testing.T) {
	conv := func(change func(*ConvLayer)) *Model {
		c := Conv(3, 4, 3, apoops.ReLUAct)
		change(c)
		return Sequential(c)
	}
	norm := func(change func(*BatchNormLayer)) *Model {
		b := BatchNorm(3, apoops.Identity)
		change(b)
		return Sequential(b)
	}
	pool := func(p apoops.Pool) *Model { return Sequential(MaxPool(p)) }
	residual := func(change func(*ResidualLayer)) *Model {
		r := Residual(Dense(3, 3, apoops.ReLUAct))
		change(r)
		return Sequential(r)
	}
	for _, different := range [][]*Model{
		{MLP(2, 3, 4), MLP(2, 3, 4, 4), MLPWith(apoops.TanhAct, 2, 3, 4), DeepLinear(2, 3, 4)},
		{conv(func(*ConvLayer) {}), conv(func(c *ConvLayer) { c.Stride = [2]int{2, 2} }), conv(func(c *ConvLayer) { c.Pad = [2]int{1, 1} }),
			conv(func(c *ConvLayer) { c.Dilation = [2]int{2, 1} }), conv(func(c *ConvLayer) { c.Activation = apoops.TanhAct }), conv(func(c *ConvLayer) { c.NoBias = true })},
		{norm(func(*BatchNormLayer) {}), norm(func(b *BatchNormLayer) { b.Epsilon = 1e-3 }), norm(func(b *BatchNormLayer) { b.Rate = 0.5 }), norm(func(b *BatchNormLayer) { b.Activation = apoops.ReLUAct })},
		{pool(apoops.Pool{Kernel: [2]int{2, 2}}), pool(apoops.Pool{Kernel: [2]int{3, 3}}), pool(apoops.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}}), Sequential(AvgPool(apoops.Pool{Kernel: [2]int{2, 2}}))},
		{Sequential(Dropout(0.1)), Sequential(Dropout(0.2)), Sequential(Activation(apoops.TanhAct)), Sequential(Activation(apoops.ReLUAct)), Sequential(Flatten()), Sequential(Subsample(2, 8)), Sequential(Subsample(1, 8))},
		{residual(func(*ResidualLayer) {}), residual(func(r *ResidualLayer) { r.Activation = apoops.Identity }),
			residual(func(r *ResidualLayer) { r.Main = []Layer{Dense(3, 3, apoops.TanhAct)} }), residual(func(r *ResidualLayer) { r.Shortcut = []Layer{Flatten()} })},
	} {
		for i, a := range different {
			for j, b := range different {
				if slices.Equal(a.Describe(), b.Describe()) != (i == j) {
					t.Errorf("models %d and %d: %q and %q", i, j, a.Describe(), b.Describe())
				}
			}
		}
	}
	same := conv(func(c *ConvLayer) { c.Stride, c.Dilation = [2]int{1, 1}, [2]int{1, 1} })
	if plain := conv(func(*ConvLayer) {}); !slices.Equal(same.Describe(), plain.Describe()) {
		t.Errorf("%q and %q", same.Describe(), plain.Describe())
	}
}
