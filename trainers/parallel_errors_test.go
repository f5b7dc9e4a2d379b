package trainers

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
)

// rankOf is the rank that an error names, and whether all members have it.
func rankOf(t *testing.T, err error) (rank int, shared bool) {
	t.Helper()
	var m *collective.MemberError
	if !errors.As(err, &m) {
		t.Errorf("%v names no member", err)
		return -1, false
	}
	return m.Rank, m.Shared
}

// TestParallelStepErrors has a batch of one member hold NaN. It alone has the error; the
// others wait until it aborts.
func TestParallelStepErrors(t *testing.T) {
	p := toyTask(t)
	together(3, func(c Communicator) {
		tr, err := New(p.model, p.loss, SGDm(0.1), Dtype(tensor.Float64), Parallel(c))
		if err != nil {
			t.Error(err)
			return
		}
		for i := range 3 {
			b := p.batch(i)
			if i == 2 && c.Rank() == 1 {
				b.X[0] = b.X[0].Clone().(*tensor.Dense)
				b.X[0].Float64s()[0] = math.NaN()
			}
			if _, err = tr.Step(b); i < 2 && err != nil {
				t.Error(err)
			}
		}
		if c.Rank() == 1 {
			c.Abort(err)
		}
		rank, shared := rankOf(t, err)
		want := "collective: another member has failed"
		if c.Rank() == 1 {
			want = "holds NaN"
		}
		if text := err.Error(); rank != c.Rank() || shared || !strings.Contains(text, "step 2") || !strings.Contains(text, want) {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
	})
}

// full is a recorder without space.
type full struct{}

func (full) Record(Stats) error { return errors.New("no space left") }

// TestParallelRecorderErrors has the recorder of rank 0 fail.
func TestParallelRecorderErrors(t *testing.T) {
	p := toyTask(t)
	together(2, func(c Communicator) {
		opts := []Option{Dtype(tensor.Float64), Parallel(c)}
		if c.Rank() == 0 {
			opts = append(opts, Record(full{}))
		}
		tr, err := New(p.model, p.loss, SGDm(0.1), opts...)
		if err == nil {
			_, err = tr.Step(p.batch(0))
		}
		if c.Rank() > 0 {
			if err != nil {
				t.Error(err)
			}
			return
		}
		if rank, shared := rankOf(t, err); rank != 0 || shared || !strings.Contains(err.Error(), "step 0") || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("got %v", err)
		}
	})
}

// TestParallelSharedErrors has errors that all members learn of: of an evaluation, of
// writing, of members that do not begin alike.
func TestParallelSharedErrors(t *testing.T) {
	p, data := toyTask(t), toyData(t, tensor.Float64)
	together(3, func(c Communicator) {
		tr, err := New(p.model, p.loss, SGDm(0.1), Dtype(tensor.Float64), Parallel(c))
		if err != nil {
			t.Error(err)
			return
		}
		set := data
		if c.Rank() == 2 {
			set.X = data.X.Clone().(*tensor.Dense)
			set.X.Float64s()[len(set.X.Float64s())-1] = math.Inf(1)
		}
		_, err = tr.Evaluate(set, data.Len()/3)
		if rank, shared := rankOf(t, err); rank != 2 || !shared || !strings.Contains(err.Error(), "rank 2") || !strings.Contains(err.Error(), "rows ") {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
		err = tr.Save(filepath.Join(t.TempDir(), "no", "folder"))
		if rank, shared := rankOf(t, err); rank != 0 || !shared || !strings.Contains(err.Error(), "folder") {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
		_, err = tr.Step(p.batch(c.Rank()))
		if rank, shared := rankOf(t, err); rank != -1 || !shared || !strings.Contains(err.Error(), "ranks [1 2]") {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
	})
}
