package graph

import (
	"bytes"
	"fmt"
	"log"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strconv"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestArrange checks of places with random lifetimes that no two that are needed
// at one time overlap, that none lies across a seam, and that the whole is as large as
// need be: at least what is needed at one time, at most all one after the other behind
// the seams, and the same every time.
func TestArrange(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for trial := range 200 {
		const steps = 40
		places := make([]place, 1+rng.IntN(30))
		sum := 0
		for i := range places {
			from := rng.IntN(steps)
			places[i] = place{lifetime: lifetime{from, from + rng.IntN(1+rng.IntN(steps-from))}, size: 1 + rng.IntN(1<<rng.IntN(8))}
			sum += places[i].size
		}
		seams := []int{0}
		for range trial % 4 {
			seams = append(seams, seams[len(seams)-1]+1+rng.IntN(100))
		}
		again := append([]place(nil), places...)
		whole := arrange(places, seams)
		if other := arrange(again, seams); other != whole || !reflect.DeepEqual(again, places) {
			t.Fatalf("trial %d: another arrangement the second time", trial)
		}
		peak := 0
		for step := range steps {
			now := 0
			for _, p := range places {
				if p.from <= step && step <= p.to {
					now += p.size
				}
			}
			peak = max(peak, now)
		}
		if whole < peak || whole > sum+seams[len(seams)-1] {
			t.Fatalf("trial %d: %d in all, not between %d and %d behind %v", trial, whole, peak, sum, seams)
		}
		for i, p := range places {
			if p.at < 0 || p.at+p.size > whole {
				t.Fatalf("trial %d: %+v is outside of %d", trial, p, whole)
			}
			for _, s := range seams {
				if p.at < s && s < p.at+p.size {
					t.Fatalf("trial %d: %+v lies across %d", trial, p, s)
				}
			}
			for _, q := range places[:i] {
				if p.from <= q.to && q.from <= p.to && p.at < q.at+q.size && q.at < p.at+p.size {
					t.Fatalf("trial %d: %+v and %+v overlap", trial, p, q)
				}
			}
		}
	}
}

// TestExecutionOrder compares the order that lifetimes are made of with what a
// machine writes to its log.
func TestExecutionOrder(t *testing.T) {
	for _, r := range roles(t) {
		if r.name != "residual/base" && r.name != "stock/proximal/kronecker" {
			continue
		}
		c := r.build(t)
		c.run(t, 0)
		var text bytes.Buffer
		vm := gorgonia.NewTapeMachine(c.program.g, gorgonia.WithLogger(log.New(&text, "", 0)))
		order, ok := executionOrder(vm.Prog(), c.program.g)
		if !ok {
			t.Fatalf("%s: no order", r.name)
		}
		must(t, vm.RunAll())
		var want []int64
		for _, n := range order {
			if n.Op() != nil && len(children(n)) > 0 && typeName(n.Op()) != "readOp" {
				want = append(want, n.ID())
			}
		}
		var got []int64
		for _, m := range regexp.MustCompile(`Executing .*Node is: ([0-9a-f]+)`).FindAllStringSubmatch(text.String(), -1) {
			id, err := strconv.ParseInt(m[1], 16, 64)
			must(t, err)
			if n, _ := c.program.g.Node(id).(*gorgonia.Node); len(children(n)) > 0 {
				got = append(got, id)
			}
		}
		if len(want) < 20 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: executed %v, not %v", r.name, got, want)
		}
	}
}

// TestExecutionOrderOfOthers refuses what it does not know.
func TestExecutionOrderOfOthers(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("x"))
	for _, program := range []any{&struct{ sorted []int }{}, &struct{ order gorgonia.Nodes }{}, &struct{ sorted gorgonia.Nodes }{gorgonia.Nodes{x, x}}} {
		if order, ok := executionOrder(program, g); ok {
			t.Errorf("%T: order %v", program, order)
		}
	}
}
