package group_test

import (
	"fmt"
	"log"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/group"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Muon moves the matrices, AdamW the norm, whose rate falls by itself; the first layer
// stays as it is.
func ExampleConfig() {
	model := layers.Sequential(layers.Dense(4, 6, apoops.TanhAct), layers.LayerNorm(6), layers.Dense(6, 6, apoops.TanhAct), layers.Dense(6, 3, apoops.Identity))
	params, err := model.Init(1, tensor.Float32)
	if err != nil {
		log.Fatal(err)
	}
	c := group.New(rule.Muon(0.02),
		group.Group{Kinds: []string{"norm"}, Optimizer: rule.AdamW(0.001)},
		group.Group{Params: []string{"dense0"}, Frozen: true})
	frozen, err := c.Freezes(params)
	if err != nil {
		log.Fatal(err)
	}
	params, _ = graph.Freeze(params, nil, frozen)
	learned := graph.Learned(params)
	groups, err := c.GroupsOf(learned)
	if err != nil {
		log.Fatal(err)
	}
	for i, p := range learned {
		fmt.Println(p.Name, groups.Rates[groups.Of[i]])
	}
	// Output:
	// norm1/gain 0.001
	// norm1/shift 0.001
	// dense2 0.02
	// dense3 0.02
}
