package datasets

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the digits
	"math/rand/v2"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// "Optical Recognition of Handwritten Digits", Alpaydin and Kaynak, 1998, UCI
// Machine Learning Repository, CC BY 4.0.
//
//go:embed digits.csv.gz
var digitsFile []byte

const (
	digitsRows    = 1797
	digitsTrain   = 1437
	digitsPixels  = 64
	digitsLargest = 16
	digitsSeed    = 1797
)

// Digits returns 1437 training and 360 test examples of 8×8 handwritten
// digits: X is N×64 with pixels in [0,1] (the published 0 to 16 divided by
// 16), T is a vector of the digits as tensor.Int.
//
// The split is the same on every call: a Fisher-Yates shuffle of the rows
// driven by rand.NewPCG(1797, 1797), of which the first 1437 are for training.
//
// The data, part of this package, are the test half of "Optical Recognition of
// Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998, UCI Machine Learning
// Repository, CC BY 4.0). A dtype other than tensor.Float32 and tensor.Float64
// is an error.
func Digits(dtype tensor.Dtype) (train, test batch.Data, err error) {
	if err := checkDtype(dtype); err != nil {
		return batch.Data{}, batch.Data{}, err
	}
	pixels, digits, err := readDigits()
	if err != nil {
		return batch.Data{}, batch.Data{}, errors.Wrap(err, "datasets: embedded digits")
	}
	order := shuffled(digitsRows, digitsSeed)
	if train, err = pickDigits(dtype, pixels, digits, order[:digitsTrain]); err != nil {
		return batch.Data{}, batch.Data{}, err
	}
	if test, err = pickDigits(dtype, pixels, digits, order[digitsTrain:]); err != nil {
		return batch.Data{}, batch.Data{}, err
	}
	return train, test, nil
}

// readDigits returns the pixels, 64 an example, and the digits in file order.
func readDigits() (pixels, digits []float64, err error) {
	gz, err := gzip.NewReader(bytes.NewReader(digitsFile))
	if err != nil {
		return nil, nil, err
	}
	table, err := DecodeCSV(gz, false)
	if err != nil {
		return nil, nil, err
	}
	if table.Rows != digitsRows || table.Cols != digitsPixels+1 {
		return nil, nil, errors.Errorf("%d×%d numbers, want %d×%d", table.Rows, table.Cols, digitsRows, digitsPixels+1)
	}
	pixels, digits = splitColumn(table, digitsPixels)
	return pixels, digits, nil
}

func pickDigits(dtype tensor.Dtype, pixels, digits []float64, rows []int) (batch.Data, error) {
	x := make([]float64, 0, len(rows)*digitsPixels)
	t := make([]float64, 0, len(rows))
	for _, row := range rows {
		x = append(x, pixels[row*digitsPixels:(row+1)*digitsPixels]...)
		t = append(t, digits[row])
	}
	classes, err := labels(t, 10)
	if err != nil {
		return batch.Data{}, errors.Wrap(err, "datasets: embedded digits")
	}
	return batch.Data{X: matrix(dtype, len(rows), digitsPixels, x, digitsLargest), T: classes}, nil
}

// shuffled returns 0 to n-1 in an order that depends on n and seed only. It
// does not use rand.Perm, whose order may change between Go versions.
func shuffled(n int, seed uint64) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	source := rand.NewPCG(seed, seed)
	for i := n - 1; i > 0; i-- {
		j := int(source.Uint64() % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	return order
}
