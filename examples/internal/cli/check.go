package cli

import (
	"cmp"
	"math"
	"strconv"

	"github.com/pkg/errors"
)

// The largest values of flags that count or weigh something: far above what is of
// use, and such that products of them are numbers.
const (
	MostEpochs = 1_000_000
	MostSteps  = 1_000_000_000
	MostWeight = 1e6
)

// Between reports a value outside of low to high, NaN among them.
func Between[T cmp.Ordered](flag string, v, low, high T) error {
	if v >= low && v <= high {
		return nil
	}
	return errors.Errorf("-%s %v: it must be from %v to %v", flag, v, low, high)
}

// Weight reports a number that is no weight of a term, or a learning rate where 0
// has a meaning: nil stands for the flag not given.
func Weight(flag string, v *float64) error {
	if v == nil {
		return nil
	}
	return Between(flag, *v, 0, MostWeight)
}

// Rate reports a number that is no learning rate: nil stands for the flag not
// given.
func Rate(flag string, v *float64) error {
	if v == nil || *v > 0 && *v <= MostWeight {
		return nil
	}
	return errors.Errorf("-%s %v: it must be above 0 and at most %v", flag, *v, MostWeight)
}

// Count reports a whole number below 0 or above MostSteps: nil stands for the flag
// not given.
func Count(flag string, v *int) error {
	if v == nil {
		return nil
	}
	return Between(flag, *v, 0, MostSteps)
}

// First is the first of the errors that is not nil.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// mostLayers is the largest number of hidden layers, each of which is a part of
// the graph.
const mostLayers = 100

// copies is how many arrays of the size of the weights, and of the layers' values,
// training has at least: themselves, their gradients, the momentum or the
// lookahead's, and those of another pass.
const copies = 4

// Net reports a fully connected net that this machine has no memory for, before any
// is taken: widths are those of its layers, of which the first and the last are
// given by the data, batch is the number of rows and size that of an element.
func Net(flag string, widths []int, batch, size int) error {
	if hidden := len(widths) - 2; hidden > mostLayers {
		return errors.Errorf("-%s: %d layers: it must be %d or fewer", flag, hidden, mostLayers)
	}
	parameters, values := 0.0, 0.0 // floats: products of widths are beyond integers
	for i, n := range widths {
		if n < 1 {
			return errors.Errorf("-%s: %d is not a width", flag, n)
		}
		if i > 0 {
			parameters += (float64(widths[i-1]) + 1) * float64(n)
		}
		values += float64(batch) * float64(n)
	}
	return Memory(copies*(parameters+values)*float64(size), "-%s: a net of %.4g parameters on batches of %d rows", flag, parameters, batch)
}

// Memory reports a need, in bytes, that exceeds the memory of the machine. what names
// the flag and what needs the memory.
func Memory(need float64, what string, args ...any) error {
	have := float64(MachineMemory())
	if need <= have {
		return nil
	}
	return errors.Errorf(what+" needs %s of memory or more, there are %s", append(args, Size(need), Size(have))...)
}

// Size writes a number of bytes in the largest unit that leaves it above 1.
func Size(n float64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	for ; n >= 1000 && i < len(units)-1; i++ {
		n /= 1000
	}
	return strconv.FormatFloat(math.Round(10*n)/10, 'g', -1, 64) + " " + units[i]
}
