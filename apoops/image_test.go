package apoops

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestSubsample(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, c := range []struct {
		shape            tensor.Shape
		stride, channels int
	}{
		{tensor.Shape{2, 3, 4, 6}, 2, 6},
		{tensor.Shape{2, 2, 5, 7}, 2, 5},
		{tensor.Shape{1, 2, 7, 5}, 3, 2},
		{tensor.Shape{3, 1, 2, 3}, 1, 4},
	} {
		opTest{
			name:   fmt.Sprintf("subsample %v by %d to %d channels", c.shape, c.stride, c.channels),
			build:  inner(func(x *gorgonia.Node) (*gorgonia.Node, error) { return Subsample(x, c.stride, c.channels) }),
			inputs: []*tensor.Dense{randn(rng, c.shape...)}, wrt: []int{0},
			want: func(in [][]float64) (y []float64) {
				for n := range c.shape[0] {
					for channel := range c.channels {
						for i := 0; i < c.shape[2]; i += c.stride {
							for j := 0; j < c.shape[3]; j += c.stride {
								v := 0.0
								if channel < c.shape[1] {
									v = in[0][((n*c.shape[1]+channel)*c.shape[2]+i)*c.shape[3]+j]
								}
								y = append(y, v)
							}
						}
					}
				}
				return y
			},
		}.run(t)
	}
}

func TestSubsampleRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	x := inputNode(g, randn(rand.New(rand.NewPCG(3, 2)), 2, 3, 4, 4), tensor.Float64, "x")
	m := inputNode(g, randn(rand.New(rand.NewPCG(3, 3)), 2, 3), tensor.Float64, "m")
	for what, f := range map[string]func() (*gorgonia.Node, error){
		"stride 0":     func() (*gorgonia.Node, error) { return Subsample(x, 0, 3) },
		"two channels": func() (*gorgonia.Node, error) { return Subsample(x, 2, 2) },
		"a matrix":     func() (*gorgonia.Node, error) { return Subsample(m, 2, 3) },
		"nil":          func() (*gorgonia.Node, error) { return Subsample(nil, 2, 3) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}
