package batch

import (
	"context"
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

func TestWrongDataSetsAreNamed(t *testing.T) {
	x := tensor.New(tensor.WithShape(4, 2), tensor.Of(tensor.Float64))
	labels := tensor.New(tensor.WithShape(4), tensor.Of(tensor.Int))
	view := tensor.New(tensor.WithShape(2, 4), tensor.Of(tensor.Float64))
	if err := view.T(); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		d    Data
		want string
	}{
		"nothing":         {Data{}, "without inputs"},
		"other rows":      {Data{X: x, T: tensor.New(tensor.WithShape(3), tensor.Of(tensor.Int))}, "4 input rows"},
		"bytes":           {Data{X: tensor.New(tensor.WithShape(4, 2), tensor.Of(tensor.Byte)), T: labels}, "uint8"},
		"mixed precision": {Data{X: x, T: tensor.New(tensor.WithShape(4, 1), tensor.Of(tensor.Float32))}, "float32"},
		"view":            {Data{X: view, T: labels}, "views"},
	} {
		_, err := New(c.d, 2, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", what, err, c.want)
		}
	}
	good := Data{X: x, T: labels}
	for _, size := range []int{0, -1, 5} {
		_, err := New(good, size, 1)
		if err == nil || !strings.Contains(err.Error(), "batches of") {
			t.Errorf("batches of %d: %v", size, err)
		}
	}
	b, err := New(good, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.At(-3).Len(); got != 2 {
		t.Fatalf("a negative step has a batch of %d rows", got)
	}
}

func TestNoBatchesIsAnError(t *testing.T) {
	var zero Batches
	var stream Stream
	var noData *Data
	next := func(b *Batches, ctx context.Context) error {
		s := b.Stream(ctx, 0)
		defer s.Close()
		_, err := s.Next()
		return err
	}
	of := func(d Dataset) *Batches {
		b, err := New(d, 5, 1)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	errorOf := func(_ any, err error) error { return err }
	var noContext context.Context
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"batches of nothing":          {errorOf(New(nil, 5, 1)), "no data set"},
		"batches of a typed nil":      {errorOf(New(noData, 5, 1)), "no data set"},
		"batches of too many":         {errorOf(New(smallData(), math.MaxInt, 1)), "batches of"},
		"zero batches":                {errorOf(zero.TildeAt(0)), "NewBatches"},
		"zero batches, BatchAt":       {errorOf(zero.BatchAt(0)), "NewBatches"},
		"zero batches' stream":        {next(&zero, t.Context()), "NewBatches"},
		"stream without a context":    {next(of(smallData()), noContext), "context"},
		"zero stream":                 {errorOf(stream.Next()), "NewBatches"},
		"data set that panics":        {next(of(panicking{smallData()}), t.Context()), "stream"},
		"data set that panics, cause": {next(of(panicking{smallData()}), t.Context()), "no rows today"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, c.err, c.want)
		}
	}
	stream.Close()
	if zero.PerEpoch() != 0 || zero.At(3).Len() != 0 {
		t.Error("zero batches have rows")
	}
}

// panicking is a data set whose rows cannot be made.
type panicking struct{ Data }

func (panicking) Fill(graph.Batch, []int, Draw) { panic("no rows today") }
