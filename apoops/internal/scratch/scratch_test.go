package scratch_test

import (
	"fmt"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
)

// TestGetReusesMemory: a slice that was put back is returned again, one that is in use
// is not, and those of the two element types are apart.
func TestGetReusesMemory(t *testing.T) {
	a := scratch.Get[float64](100)
	b := scratch.Get[float64](50)
	if &a[0] == &b[0] {
		t.Fatal("memory in use was handed out again")
	}
	scratch.Put(a)
	if c := scratch.Get[float32](10); len(c) != 10 {
		t.Fatalf("%d elements, not 10", len(c))
	}
	if c := scratch.Get[float64](80); &c[0] != &a[0] || len(c) != 80 {
		t.Fatalf("free memory was not used, or cut to %d elements", len(c))
	}
	if n := testing.AllocsPerRun(10, func() { scratch.Put(scratch.Get[float64](20)) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestGetTakesTheSmallest slice that is large enough, so that a large one is not lost to a
// small need and made again; where none is, the largest is given up, and not kept beside it.
func TestGetTakesTheSmallest(t *testing.T) {
	var p scratch.Pool[float32]
	sizes := func(want ...int) {
		t.Helper()
		var free [][]float32
		for _, n := range want {
			buf := p.Get(n)
			if cap(buf) != n {
				t.Errorf("a slice of %d for %d elements", cap(buf), n)
			}
			free = append(free, buf)
		}
		for _, buf := range free {
			p.Put(buf)
		}
	}
	sizes(10, 1000, 100)
	sizes(10, 100, 1000)
	sizes(1000, 10, 100)
	all := [][]float32{p.Get(5), p.Get(2000), p.Get(90)}
	for i, want := range []int{10, 2000, 100} {
		if cap(all[i]) != want {
			t.Errorf("slice %d has room for %d elements, want %d", i, cap(all[i]), want)
		}
		p.Put(all[i])
	}
	sizes(10, 100, 2000)
}

func Example() {
	buf := scratch.Get[float32](3)
	clear(buf) // the elements have any value
	fmt.Println(buf)
	scratch.Put(buf)
	// Output: [0 0 0]
}
