package cli

import (
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Float is for flag.FlagSet.Func: a number that is nil where the flag is not
// given.
func Float(dst **float64) func(string) error {
	return func(text string) error {
		v, err := strconv.ParseFloat(text, 64)
		*dst = &v
		return err
	}
}

// Int is Float for whole numbers.
func Int(dst **int) func(string) error {
	return func(text string) error {
		v, err := strconv.Atoi(text)
		*dst = &v
		return err
	}
}

// Counts is for flag.FlagSet.Func: positive whole numbers, separated by commas.
// what names one of them in errors, such as "a width".
func Counts(dst *[]int, what string) func(string) error {
	return func(text string) error {
		var all []int
		for part := range strings.SplitSeq(text, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil || n < 1 {
				return errors.Errorf("%q is not %s", part, what)
			}
			all = append(all, n)
		}
		*dst = all
		return nil
	}
}

// Dtype is the element type that the flag -dtype names.
func Dtype(name string) (tensor.Dtype, error) {
	switch name {
	case "float32":
		return tensor.Float32, nil
	case "float64":
		return tensor.Float64, nil
	}
	return tensor.Dtype{}, errors.Errorf("-dtype %q: it must be float32 or float64", name)
}

// Rates describes learning rates in a line of progress, nothing where there are
// none.
func Rates(rates []float64) string {
	if len(rates) == 0 {
		return ""
	}
	text := "rate "
	for _, r := range rates {
		text += strconv.FormatFloat(r, 'g', 3, 64) + " "
	}
	return strings.TrimSuffix(text, " ") + ", "
}
