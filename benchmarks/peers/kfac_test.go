package peers

import (
	"context"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// KFAC's losses differ from PyTorch's by rounding.
func TestKFACTrainsAlike(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("PyTorch not found")
	}
	const net = "kfac-tiny"
	s := settings{batch: 16, steps: 1}
	sides, done, err := kfacSides(python, net, []int{1}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	ours, err := measureOurs(net, s, "")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := sides[0].run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(ours.Losses) != kfacLosses || theirs.Peak < theirs.Base || theirs.Parameters != ours.Parameters {
		t.Errorf("ours %+v, PyTorch %+v", ours, theirs)
	}
	alike(t, "losses", ours.Losses, theirs.Losses, 1e-5)
}
