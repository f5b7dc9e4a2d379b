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

func Example() {
	buf := scratch.Get[float32](3)
	clear(buf) // the elements have any value
	fmt.Println(buf)
	scratch.Put(buf)
	// Output: [0 0 0]
}
