package cli

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers"
)

// PrecisionHelp is the text of the flag -precision.
const PrecisionHelp = "`format` of weights, activations, gradients and the optimizer's state: float32, bfloat16 or float16, " +
	"the latter with a dynamic loss scale (default float32)"

// full is the name of full precision, which is stored as "".
const full = "float32"

// Precision is for flag.FlagSet.Func: a format of 16 bits, or "" for float32.
func Precision(dst *string) func(string) error {
	return func(name string) error {
		if _, err := apoops.ParseFormat(name); err != nil && name != full {
			return errors.New("it must be float32, bfloat16 or float16")
		}
		*dst = name
		if name == full {
			*dst = ""
		}
		return nil
	}
}

// CheckPrecision reports a stored precision that is none, or one of 16 bits beside another
// dtype than float32.
func CheckPrecision(precision, dtype string) error {
	if precision == "" {
		return nil
	}
	if _, err := apoops.ParseFormat(precision); err != nil {
		return errors.Errorf("-precision %q: it must be float32, bfloat16 or float16", precision)
	}
	if dtype != full {
		return errors.Errorf("-precision %s: it needs -dtype float32, not %s", precision, dtype)
	}
	return nil
}

// PrecisionOptions are the trainer's options for a precision; none for "".
func PrecisionOptions(precision string) ([]trainers.Option, error) {
	if precision == "" {
		return nil, nil
	}
	f, err := apoops.ParseFormat(precision)
	if err != nil {
		return nil, errors.WithMessage(err, "-precision")
	}
	return []trainers.Option{trainers.Precision(f)}, nil
}
