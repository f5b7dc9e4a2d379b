package precision

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TestRound brings stored arrays of a kind into the range of the format, and counts them.
func TestRound(t *testing.T) {
	p, err := New(apoops.Float16, 1, InFloat32(Factors))
	if err != nil {
		t.Fatal(err)
	}
	array := func() *tensor.Dense {
		return tensor.New(tensor.WithShape(3), tensor.WithBacking([]float32{1 + 0x1p-12, -7e4, 3}))
	}
	a, b := array(), array()
	if !p.Fits(Factors, a) || p.Fits(Phi, a) || !math.IsInf(p.Limit(Factors), 1) || p.Limit(Phi) != 65504 {
		t.Fatalf("fits %v and %v within %v and %v", p.Fits(Factors, a), p.Fits(Phi, a), p.Limit(Factors), p.Limit(Phi))
	}
	p.Round(Factors, a)
	p.KeepStored(Phi, b)
	if x := a.Float32s(); x[0] == 1 || x[1] != -7e4 {
		t.Errorf("in float32: %v", x)
	}
	if x := b.Float32s(); x[0] != 1 || x[1] != -65504 || x[2] != 3 {
		t.Errorf("in 16 bits: %v", x)
	}
	if n := p.Scaler().Clamped; n != 1 {
		t.Errorf("%d arrays clamped", n)
	}
	b.Float32s()[2] = 3 + 0x1p-12
	p.RoundState()
	if b.Float32s()[2] == 3 {
		t.Error("rounded after a step that did not change it")
	}
	p.StartState()
	if b.Float32s()[2] != 3 {
		t.Error("not rounded after a checkpoint was loaded")
	}
	apart := p.Apart()
	apart.Keep(Momentum, a)
	if apart.BackOff(); len(p.state) != 0 || p.LossScale() != defaultStart/2 || p.Scaler().Lowered != 1 {
		t.Errorf("%d arrays, scale %v", len(p.state), p.LossScale())
	}
}
