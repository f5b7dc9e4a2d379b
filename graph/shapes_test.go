package graph

import (
	"fmt"
	"testing"

	"gorgonia.org/tensor"
)

// TestShapesKeepTheLastUsed finds graphs by the shapes of all arrays and gives up the one
// that was not used for longest.
func TestShapesKeepTheLastUsed(t *testing.T) {
	of := func(dt tensor.Dtype, shape ...int) *tensor.Dense {
		return tensor.New(tensor.Of(dt), tensor.WithShape(shape...))
	}
	batch := func(n int) Batch { return NewBatch(of(tensor.Float32, n, 4), of(tensor.Int, n)) }
	s := Shapes[string]{Limit: 3}
	for n := 1; n <= 3; n++ {
		must(t, s.Add(batch(n), nil, fmt.Sprint(n)))
	}
	if g, ok := s.Find(batch(1), nil); !ok || g != "1" {
		t.Fatalf("found %q, %v", g, ok)
	}
	must(t, s.Add(batch(2), batch(7).X, "2 and 7")) // in the place of 2
	for _, c := range []struct {
		b     Batch
		tilde []*tensor.Dense
		want  string
	}{
		{batch(1), nil, "1"}, {batch(2), nil, ""}, {batch(3), nil, "3"}, {batch(2), batch(7).X, "2 and 7"},
		{batch(2), batch(6).X, ""}, {batch(2), batch(7).T, ""}, {batch(1), batch(1).X, ""},
		{NewBatch(of(tensor.Float64, 1, 4), of(tensor.Int, 1)), nil, ""}, {NewBatch(of(tensor.Float32, 4, 1), of(tensor.Int, 1)), nil, ""},
		{Batch{X: batch(1).X}, nil, ""}, {NewBatch(nil, nil), nil, ""},
	} {
		if g, ok := s.Find(c.b, c.tilde); g != c.want || ok != (c.want != "") {
			t.Errorf("%v, B' %v: found %q, %v, not %q", c.b, Batch{X: c.tilde}, g, ok, c.want)
		}
	}
	if s.Len() != 3 {
		t.Errorf("%d graphs", s.Len())
	}
	var byDefault Shapes[int]
	for n := range 2 * DefaultGraphs {
		must(t, byDefault.Add(batch(n+1), nil, n))
	}
	if byDefault.Len() != DefaultGraphs {
		t.Errorf("%d graphs by default", byDefault.Len())
	}
	n := testing.AllocsPerRun(10, func() { byDefault.Find(batch1, nil) })
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var batch1 = NewBatch(tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(16, 4)), tensor.New(tensor.Of(tensor.Int), tensor.WithShape(16)))
