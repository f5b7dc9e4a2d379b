package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Energies are what a RelativeLookahead's last run computed for each block besides
// ∂Q/∂φ, see form.Relative. Valid until the next run.
func (p *Proximal) Energies() ([][]*tensor.Dense, error) {
	all := make([][]*tensor.Dense, len(p.energies))
	for i, nodes := range p.energies {
		var err error
		if all[i], err = denseValues(nodes); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func setFirst[T apoops.Float](t *tensor.Dense, x float64) { apoops.Elements[T](t)[0] = T(x) }

// Terms are the values of Q's parts, each without its weight λ.
type Terms struct {
	Q    float64 // Loss + λ_FSD·FSD + λ_WSD·WSD
	Loss float64 // J_B(θ')
	FSD  float64 // mean D_F over B', 0 where the term was left out
	WSD  float64 // ½‖θ'-θ‖², 0 where the term was left out
}

// Terms reads Q and its parts after a run.
func (p *Proximal) Terms() Terms {
	t := Terms{Q: scalar(p.q)}
	if !p.noLoss {
		t.Loss = scalar(p.loss)
	}
	if !p.noFSD {
		t.FSD = scalar(p.fsd)
	}
	if !p.noWSD {
		t.WSD = scalar(p.wsd)
	}
	return t
}

// Gradient sets dst to ∂Q/∂φ of the last run, in φ's shapes. The gradients of
// scalars are written to the arrays that are there; the others become the
// graph's own arrays, valid until the next run.
func (p *Proximal) Gradient(dst []*tensor.Dense) error {
	if len(dst) != len(p.dphi) {
		return errors.Errorf("graph: %d arrays for the gradient of %d", len(dst), len(p.dphi))
	}
	for i, n := range p.dphi {
		if v, ok := n.Value().(*tensor.Dense); ok {
			dst[i] = v
			continue
		}
		d := scalar(n.Value())
		set, err := apoops.Choose(dst[i].Dtype(), setFirst[float32], setFirst[float64])
		if err != nil {
			return errors.WithMessagef(err, "graph: array %d for the gradient", i)
		}
		set(dst[i], d)
	}
	return nil
}
