package layers

import (
	"fmt"

	"github.com/apo-gorgonia/apo/graph"
)

// Describer is implemented by layers with settings that their kind and parameters do
// not show. A checkpoint keeps the text of Describe, and a model with another text
// refuses the checkpoint. The text must be the same in every process.
type Describer interface{ Describe() string }

var (
	_ graph.Describer = (*Model)(nil)
	_ Describer       = (*DenseLayer)(nil)
	_ Describer       = (*ConvLayer)(nil)
	_ Describer       = (*BatchNormLayer)(nil)
	_ Describer       = (*ResidualLayer)(nil)
	_ Describer       = dropout{}
	_ Describer       = stateless{}
)

// Describe implements graph.Describer, with a line for each layer.
func (m *Model) Describe() []string { return m.layers.describe() }

func (s sequence) describe() []string {
	all := make([]string, len(s))
	for i, l := range s {
		switch d := l.(type) {
		case nil:
		case Describer:
			all[i] = d.Describe()
		default:
			all[i] = l.Kind()
		}
	}
	return all
}

// Describe implements Describer.
func (d *DenseLayer) Describe() string {
	return fmt.Sprintf("dense %d×%d%s, %v", d.Inputs, d.Outputs, unbiased(d.NoBias), d.Activation)
}

// Describe implements Describer.
func (c *ConvLayer) Describe() string {
	return fmt.Sprintf("conv %d×%d, kernel %v, stride %v, padding %v, dilation %v%s, %v",
		c.Inputs, c.Outputs, c.Kernel, ones(c.Stride), c.Pad, ones(c.Dilation), unbiased(c.NoBias), c.Activation)
}

// Describe implements Describer.
func (b *BatchNormLayer) Describe() string {
	return fmt.Sprintf("bn %d, epsilon %v, rate %v, %v", b.Channels, b.Epsilon, b.Rate, b.Activation)
}

// Describe implements Describer.
func (r *ResidualLayer) Describe() string {
	return fmt.Sprintf("residual %q, shortcut %q, %v", sequence(r.Main).describe(), sequence(r.Shortcut).describe(), r.Activation)
}

// Describe implements Describer.
func (d dropout) Describe() string { return fmt.Sprintf("dropout %v", d.rate) }

// Describe implements Describer.
func (l stateless) Describe() string { return l.kind + l.settings }

func unbiased(noBias bool) string {
	if noBias {
		return " without bias"
	}
	return ""
}

// ones replaces 0, which stands for 1.
func ones(x [2]int) [2]int { return [2]int{max(x[0], 1), max(x[1], 1)} }
