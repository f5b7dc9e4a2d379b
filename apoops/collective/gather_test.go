package collective

import (
	"strings"
	"testing"
)

// TestGather has data of different lengths, none among them.
func TestGather(t *testing.T) {
	for n := 1; n <= 4; n++ {
		members(n, func(c Communicator) {
			all, err := Gather(c, []byte(strings.Repeat("x", 3*c.Rank())))
			if err != nil || len(all) != n {
				t.Errorf("%d parts, %v", len(all), err)
			}
			for r, part := range all {
				if string(part) != strings.Repeat("x", 3*r) {
					t.Errorf("%d members: rank %d has %q of rank %d", n, c.Rank(), part, r)
				}
			}
		})
	}
}
