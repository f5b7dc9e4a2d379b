package experiments

import (
	"fmt"
	"math"
)

// fig1Claims are the claims of Section 3.1. They compare the mean absolute change of
// the function near the example (at a distance of 0.1 to 0.3) and far from it (at
// least 1), both relative to the change at the example, for the smallest λ.
var fig1Claims = []Claim{
	{Where: "§3.1", Text: "with the weight-space term alone the update changes all predictions (far: at least 0.2)",
		Decide: ofFig1(func(c map[string]change) (bool, string) {
			return c["wsd"].far >= 0.2, fmt.Sprintf("far %.2f, near %.2f", c["wsd"].far, c["wsd"].near)
		})},
	{Where: "§3.1", Text: "with the function-space term alone it carves a spike (near and far: at most 0.3)",
		Decide: ofFig1(func(c map[string]change) (bool, string) {
			return c["fsd"].near <= 0.3 && c["fsd"].far <= 0.3, fmt.Sprintf("far %.2f, near %.2f", c["fsd"].far, c["fsd"].near)
		})},
	{Where: "§3.1", Text: "with both it is local, and improves predictions nearby (far: below half of that of the weight-space term; near: above that of the function-space term)",
		Decide: ofFig1(func(c map[string]change) (bool, string) {
			return c["both"].far < 0.5*c["wsd"].far && c["both"].near > c["fsd"].near, fmt.Sprintf("far %.2f, near %.2f", c["both"].far, c["both"].near)
		})},
}

// Claims implements Computation.
func (proximalUpdates) Claims() []Claim { return fig1Claims }

// change is the mean absolute change of a function near the example and far from it,
// relative to the change at the example.
type change struct{ near, far float64 }

// ofFig1 decides a claim by the changes in each panel.
func ofFig1(decide func(map[string]change) (bool, string)) func(Result) (bool, string) {
	return func(r Result) (bool, string) {
		f, c := r.(*Fig1), make(map[string]change)
		for _, p := range f.Panels {
			c[p.Name] = f.changeOf(p.Curves[len(p.Curves)-1].After)
		}
		return decide(c)
	}
}

func (f *Fig1) changeOf(after []float64) change {
	var near, far []float64
	at, nearest := 0.0, math.Inf(1)
	for i, x := range f.X {
		moved, distance := math.Abs(after[i]-f.Before[i]), math.Abs(x-f.ExampleX)
		if distance < nearest {
			at, nearest = moved, distance
		}
		switch {
		case distance >= 0.1 && distance <= 0.3:
			near = append(near, moved)
		case distance >= 1:
			far = append(far, moved)
		}
	}
	return change{mean(near) / at, mean(far) / at}
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
