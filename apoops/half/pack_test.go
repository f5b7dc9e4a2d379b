package half

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/guard"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// TestExpandAllPatterns compares with FromBits, and goes back.
func TestExpandAllPatterns(t *testing.T) {
	both(t, func(t *testing.T) {
		for _, f := range formats {
			bits, x, back := make([]uint16, 1<<16), make([]float32, 1<<16), make([]uint16, 1<<16)
			for i := range bits {
				bits[i] = uint16(i)
			}
			Expand(f, x, bits)
			Pack(f, back, x)
			for i, b := range bits {
				want := math.Float32bits(float32(FromBits(f, b)))
				if FromBits(f, b) != FromBits(f, b) {
					want |= quiet32
				}
				if got := math.Float32bits(x[i]); got != want {
					t.Fatalf("%v: %#04x became %#08x, want %#08x", f, b, got, want)
				}
				if again := ToBits(f, FromBits(f, b)); back[i] != again {
					t.Fatalf("%v: %#04x came back as %#04x, want %#04x", f, b, back[i], again)
				}
			}
		}
	})
}

// numbers are the float32 whose bits are first, first+stride, …
func numbers(x []float32, first, stride uint32) {
	for i := range x {
		x[i] = math.Float32frombits(first + uint32(i)*stride)
	}
}

// TestPackAgainstToBits goes through all float32 in a stride, and through all those
// about the limits of the formats.
func TestPackAgainstToBits(t *testing.T) {
	const block = 1 << 14
	x, y, bits := make([]float32, block), make([]float32, block), make([]uint16, block)
	check := func(t *testing.T, f Format, first, stride uint32) {
		numbers(x, first, stride)
		copy(y, x)
		Pack(f, bits, x)
		Round(f, y)
		for i, v := range x {
			want := ToBits(f, float64(v))
			if bits[i] != want {
				t.Fatalf("%v: %v (%#08x) has bits %#04x, want %#04x", f, v, math.Float32bits(v), bits[i], want)
			}
			if r := math.Float32bits(y[i]); r != math.Float32bits(float32(FromBits(f, want))) {
				t.Fatalf("%v: %v rounds to %v, want %v", f, v, y[i], FromBits(f, want))
			}
		}
	}
	stride := uint32(1021)
	if testing.Short() {
		stride = 8191
	}
	both(t, func(t *testing.T) {
		for _, f := range formats {
			for i := uint64(0); i < 1<<32; i += uint64(stride) * block {
				check(t, f, uint32(i), stride)
			}
			for _, sign := range []uint32{0, 1 << 31} {
				for _, b := range []uint32{0, lowest16, overflow16, 0x33000000, infinity32, 0x7fc00000} {
					check(t, f, sign|b-block/2&abs32, 1)
				}
			}
		}
	})
}

// TestVectorsAtEdges has slices of all lengths and alignments, and looks at what lies
// beside them.
func TestVectorsAtEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 1))
	x := make([]float32, 100)
	for i := range x {
		x[i] = math.Float32frombits(rng.Uint32())
	}
	levels := simd.Levels()
	for _, f := range formats {
		for lo := range 17 {
			for n := range 67 {
				part := x[lo : lo+n]
				compare := func(name string, run func(bits []uint16, y []float32)) {
					t.Helper()
					var bits [3][]uint16
					var y [3][]float32
					for i, level := range levels {
						bits[i], y[i] = make([]uint16, 100), make([]float32, 100)
						for j := range bits[i] {
							bits[i][j], y[i][j] = 0xabcd, 12.34
						}
						copy(y[i][lo:], part)
						before := simd.Set(level)
						run(bits[i][lo:lo+n], y[i][lo:lo+n])
						simd.Set(before)
					}
					for i := range levels {
						for j := range bits[i] {
							if bits[0][j] != bits[i][j] || math.Float32bits(y[0][j]) != math.Float32bits(y[i][j]) {
								t.Fatalf("%v: %s of %d elements from %d on: element %d is %#04x and %v, want %#04x and %v", f, name, n, lo, j, bits[i][j], y[i][j], bits[0][j], y[0][j])
							}
							if (j < lo || j >= lo+n) && (bits[i][j] != 0xabcd || y[i][j] != 12.34) {
								t.Fatalf("%v: %s of %d elements from %d on wrote to %d", f, name, n, lo, j)
							}
						}
					}
				}
				compare("Pack", func(bits []uint16, y []float32) { Pack(f, bits, y) })
				compare("Expand", func(bits []uint16, y []float32) { Pack(f, bits, y); Expand(f, y, bits) })
				compare("Round", func(_ []uint16, y []float32) { Round(f, y) })
				compare("PackStochastic", func(bits []uint16, y []float32) { PackStochastic(f, bits, y, 5, lo) })
				compare("RoundStochastic", func(_ []uint16, y []float32) { RoundStochastic(f, y, 5, lo) })
			}
		}
	}
}

// TestPageEnds puts every array where memory ends, and then where it begins: what reads or
// writes beyond one is killed by the system.
func TestPageEnds(t *testing.T) {
	rooms, err := guard.New(2, 4096)
	if err != nil {
		t.Skip(err)
	}
	defer rooms.Close()
	both(t, func(t *testing.T) {
		for _, atEnd := range []bool{true, false} {
			rooms.AtEnd = atEnd
			for n := range 131 {
				x, bits := guard.Slice[float32](rooms, n), guard.Slice[uint16](rooms, n)
				for _, f := range formats {
					Pack(f, bits, x)
					Expand(f, x, bits)
					Round(f, x)
					PackStochastic(f, bits, x, 5, n)
					RoundStochastic(f, x, 5, n)
				}
			}
		}
	})
}

func TestUnknownFormatIsFloat16(t *testing.T) {
	x, bits := []float32{1}, []uint16{0}
	if Pack(Format(9), bits, x); bits[0] != 0x3c00 {
		t.Fatalf("1 is %#04x", bits[0])
	}
	if Expand(Format(9), x, bits); x[0] != 1 {
		t.Fatalf("1 became %v", x[0])
	}
}

func BenchmarkConversions(b *testing.B) {
	const n = 1 << 16
	x, bits := make([]float32, n), make([]uint16, n)
	for i := range x {
		x[i] = rand.Float32()
	}
	for _, f := range formats {
		for _, c := range []struct {
			name string
			run  func()
		}{
			{"Pack", func() { Pack(f, bits, x) }},
			{"Expand", func() { Expand(f, x, bits) }},
			{"Round", func() { Round(f, x) }},
			{"PackStochastic", func() { PackStochastic(f, bits, x, 1, 0) }},
		} {
			for _, level := range simd.Levels() {
				b.Run(f.String()+"/"+c.name+"/"+level.String(), func(b *testing.B) {
					defer simd.Set(simd.Set(level))
					b.SetBytes(4 * n)
					for b.Loop() {
						c.run()
					}
				})
			}
		}
	}
}
