package apoops

import (
	"errors"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestChoose(t *testing.T) {
	for dt, want := range map[tensor.Dtype]string{tensor.Float32: "single", tensor.Float64: "double"} {
		if got, err := Choose(dt, "single", "double"); got != want || err != nil {
			t.Errorf("%v: %q, %v", dt, got, err)
		}
	}
	for _, dt := range []tensor.Dtype{tensor.Int, tensor.Uint8, tensor.Complex64, tensor.String, {}} {
		if got, err := Choose(dt, "single", "double"); got != "" || !errors.Is(err, ErrDtype) {
			t.Errorf("%v: %q, %v", dt, got, err)
		}
		if IsFloat(dt) {
			t.Errorf("%v is a Float", dt)
		}
	}
}

// TestNumber reads scalars and tensors of one element, and refuses other values.
func TestNumber(t *testing.T) {
	for want, v := range map[float64]gorgonia.Value{
		1.5: gorgonia.NewF32(1.5),
		2.5: gorgonia.NewF64(2.5),
		3.5: tensor.New(tensor.FromScalar(float32(3.5))),
		4.5: tensor.New(tensor.FromScalar(4.5)),
		5.5: tensor.New(tensor.WithShape(1, 1), tensor.WithBacking([]float32{5.5})),
		6.5: tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{6.5})),
	} {
		if got, ok := Number(v); got != want || !ok {
			t.Errorf("%T: %v, %t, want %v", v, got, ok, want)
		}
	}
	for _, v := range []gorgonia.Value{
		nil, gorgonia.NewI(3), tensor.New(tensor.FromScalar(3)),
		tensor.New(tensor.WithShape(2), tensor.Of(tensor.Float64)),
	} {
		if x, ok := Number(v); ok {
			t.Errorf("%T is the number %v", v, x)
		}
	}
}

// TestNumberArray writes to a scalar through the array.
func TestNumberArray(t *testing.T) {
	single, double := gorgonia.NewF32(1), gorgonia.NewF64(2)
	NumberArray(single).Float32s()[0] = 3
	NumberArray(double).Float64s()[0] = 4
	if *single != 3 || *double != 4 {
		t.Errorf("%v and %v, want 3 and 4", *single, *double)
	}
	if a := NumberArray(gorgonia.NewI(3)); a != nil {
		t.Errorf("an integer as %v", a)
	}
}

// TestScalarResults applies an op without axes in both dtypes.
func TestScalarResults(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		g := gorgonia.NewGraph()
		x := inputNode(g, tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{3, 4})), dt, "x")
		s := gorgonia.Must(HalfSquaredNorm(x))
		vm := gorgonia.NewTapeMachine(g)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if got, ok := Number(s.Value()); got != 12.5 || !ok || s.Value().Dtype() != dt {
			t.Errorf("%v: %v of %v", dt, s.Value(), s.Value().Dtype())
		}
		vm.Close()
	}
}
