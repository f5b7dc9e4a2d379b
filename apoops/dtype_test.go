package apoops

import (
	"errors"
	"testing"

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
