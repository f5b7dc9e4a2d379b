package datasets

import (
	"hash/fnv"
	"reflect"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
	"gorgonia.org/tensor"
)

// histogram counts the classes of a set.
func histogram(d batch.Data) []int {
	counts := make([]int, 10)
	for _, class := range d.T.Data().([]int) {
		counts[class]++
	}
	return counts
}

func TestDigits(t *testing.T) {
	train, test, err := Digits(tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	if !train.X.Shape().Eq(tensor.Shape{1437, 64}) || !test.X.Shape().Eq(tensor.Shape{360, 64}) {
		t.Fatalf("shapes %v and %v", train.X.Shape(), test.X.Shape())
	}
	for _, part := range []batch.Data{train, test} {
		if err := part.Check(); err != nil {
			t.Error(err)
		}
	}

	// The sum of all pixels and the counts of each digit in the file.
	sum := 0.0
	for _, v := range slices.Concat(train.X.Data().([]float64), test.X.Data().([]float64)) {
		if v < 0 || v > 1 {
			t.Fatalf("pixel %v", v)
		}
		sum += 16 * v
	}
	if sum != 561718 {
		t.Errorf("pixels sum to %v, want 561718", sum)
	}
	counts := histogram(train)
	for class, n := range histogram(test) {
		counts[class] += n
	}
	if want := []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}; !slices.Equal(counts, want) {
		t.Errorf("class counts %v, want %v", counts, want)
	}
}

func TestDigitsIsDeterministic(t *testing.T) {
	train, test, err := Digits(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := Digits(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(train.X.Data(), again.X.Data()) || !reflect.DeepEqual(train.T.Data(), again.T.Data()) {
		t.Error("two calls differ")
	}

	// The order must stay what it is, on every machine and Go version.
	h := fnv.New64a()
	for _, class := range slices.Concat(train.T.Data().([]int), test.T.Data().([]int)) {
		h.Write([]byte{byte(class)})
	}
	if got, want := h.Sum64(), uint64(0x7ed585ead14e4805); got != want {
		t.Errorf("order of the labels hashes to %#x, want %#x", got, want)
	}
}

func TestDigitsDtypesAgree(t *testing.T) {
	train32, _, err := Digits(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	train64, _, err := Digits(tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	x32, x64 := train32.X.Data().([]float32), train64.X.Data().([]float64)
	for i := range x32 {
		if float64(x32[i]) != x64[i] {
			t.Fatalf("element %d: %v and %v", i, x32[i], x64[i])
		}
	}
}

func TestUnsupportedDtype(t *testing.T) {
	for _, dtype := range []tensor.Dtype{{}, tensor.Int, tensor.Complex128} {
		_, _, err := Digits(dtype)
		errortest.Want(t, err, "want tensor.Float32 or tensor.Float64")
		_, _, err = MNIST(t.Context(), dtype, WithoutDownload())
		errortest.Want(t, err, "want tensor.Float32 or tensor.Float64")
		_, err = Protein(t.Context(), dtype, WithoutDownload())
		errortest.Want(t, err, "want tensor.Float32 or tensor.Float64")
	}
}

func TestShuffledIsAPermutation(t *testing.T) {
	order := shuffled(100, 1)
	if slices.IsSorted(order) {
		t.Error("nothing moved")
	}
	slices.Sort(order)
	for i, v := range order {
		if i != v {
			t.Fatalf("no %d", i)
		}
	}
}
