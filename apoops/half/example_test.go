package half_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/half"
)

func Example() {
	x := []float32{1, 3.14159, 1e-3, 70000}
	for _, f := range []half.Format{half.Float16, half.BFloat16} {
		bits := make([]uint16, len(x))
		half.Pack(f, bits, x)
		y := make([]float32, len(x))
		half.Expand(f, y, bits)
		fmt.Printf("%v: %04x %v\n", f, bits, y)
	}
	// Output:
	// float16: [3c00 4248 1419 7c00] [1 3.140625 0.0010004044 +Inf]
	// bfloat16: [3f80 4049 3a83 4789] [1 3.140625 0.0009994507 70144]
}

func ExampleRoundStochastic() {
	w := make([]float32, 10000)
	for step := range int64(100) { // from 0 to 1 in steps of 1/100
		for i := range w {
			w[i] += 0.01
		}
		half.RoundStochastic(half.BFloat16, w, half.Key(1, 0, step), 0)
	}
	var mean float64
	for _, v := range w {
		mean += float64(v) / float64(len(w))
	}
	fmt.Printf("%.2f\n", mean)
	// Output: 1.00
}

// Single numbers, and a slice that stays in float32.
func ExampleNearest() {
	f, err := half.ParseFormat("bfloat16")
	if err != nil {
		fmt.Println(err)
		return
	}
	bits := half.ToBits(f, 1.01)
	fmt.Printf("%04x %v %v\n", bits, half.FromBits(f, bits), half.Nearest(f, 1.01))

	x := []float64{1.01, 1e39}
	half.Round(f, x)
	fmt.Println(x)
	// Output:
	// 3f81 1.0078125 1.0078125
	// [1.0078125 +Inf]
}

// Bits of the neighbours of 1 + 2⁻⁸, which lies half way between two of them.
func ExamplePackStochastic() {
	x, bits := make([]float32, 4), make([]uint16, 4)
	for i := range x {
		x[i] = 1 + 1.0/256
	}
	half.PackStochastic(half.BFloat16, bits, x, half.Key(1, 0, 0), 0)
	half.Expand(half.BFloat16, x, bits)
	for _, v := range x {
		fmt.Println(v == 1 || v == 1+1.0/128)
	}
	fmt.Println(half.AllFinite(half.BFloat16, bits))
	// Output:
	// true
	// true
	// true
	// true
	// true
}
