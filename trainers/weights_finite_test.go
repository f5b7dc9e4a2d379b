package trainers

import (
	"errors"
	"math"
	"path/filepath"
	"testing"
)

// TestLoadWeightsThatAreNotFinite loads nothing of a file with a NaN or an infinity.
func TestLoadWeightsThatAreNotFinite(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for kind, save := range map[string]func(tr *Trainer, path string) error{
			"weights":    func(tr *Trainer, path string) error { return tr.SaveWeights(path, EvenNotFinite) },
			"checkpoint": func(tr *Trainer, path string) error { return tr.Save(path, EvenNotFinite) },
		} {
			source, tr, fresh := normedTrainer(t, SGD(0.1)), normedTrainer(t, SGD(0.1), Seed(3)), normedTrainer(t, SGD(0.1), Seed(3))
			p := source.Params()[1]
			p.Value.Float32s()[2] = float32(v)
			path := filepath.Join(t.TempDir(), kind+".safetensors")
			if err := save(source, path); err != nil {
				t.Fatal(err)
			}
			err := tr.LoadWeights(path)
			wantError(t, kind, err, path, p.Name, "element 2")
			if !errors.Is(err, ErrNotFinite) {
				t.Errorf("%v is no ErrNotFinite", err)
			}
			sameBits(t, kind, tr.engine, fresh.engine)
		}
	}
}
