package gemm

import "testing"

// TestTasksCoverTheProduct counts how often each tile of C is in a task.
func TestTasksCoverTheProduct(t *testing.T) {
	for _, s := range [][3]int{{1, 1, 1}, {1, 5000, 900}, {900, 1, 900}, {100, 100, 100}, {131, 97, 300}, {1000, 1000, 1000}, {5000, 33, 64}} {
		for _, cores := range []int{1, 2, 3, 8} {
			p := newPlan(14, 32, 4, cores, cores == 8, cores == 3, s[0], s[1], s[2])
			if cores == 1 && p.down*p.across != 1 {
				t.Errorf("%v: %d×%d tasks for one core", s, p.down, p.across)
			}
			seen := make([]int, p.panels*p.strips)
			for i := range p.down * p.across {
				panel, panels, strip, strips := p.task(i)
				for x := panel; x < panels; x++ {
					for y := strip; y < strips; y++ {
						seen[x*p.strips+y]++
					}
				}
			}
			for i, n := range seen {
				if n != 1 {
					t.Fatalf("%v on %d cores: tile %d is in %d tasks", s, cores, i, n)
				}
			}
		}
	}
	if p := newPlan(14, 32, 4, 2, false, false, 128, 128, 128); p.down*p.across < 2 {
		t.Error("two cores have one task of 128³")
	}
}
