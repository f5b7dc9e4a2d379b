package trainers

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

func TestSaveWeightsIn16Bits(t *testing.T) {
	tr := normedTrainer(t, SGD(0.05), EveryK(0))
	run(t, tr, 0, 2)
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	for option, f := range map[SaveOption]apoops.Format{InFloat16: apoops.Float16, InBFloat16: apoops.BFloat16} {
		if err := tr.SaveWeights(path, option); err != nil {
			t.Fatal(err)
		}
		stored, err := checkpoint.ReadSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range tr.Params() {
			for j, v := range numbers(p.Value) {
				if got := stored[i].Value.Float32s()[j]; float64(got) != apoops.Round16(f, v) {
					t.Fatalf("%s: %v is stored as %v in %v", p.Name, v, got, f)
				}
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		wantError(t, "Save", tr.Save(path, option), path, f.String(), "SaveWeights")
	}
	for _, both := range [][]SaveOption{{InFloat16, InBFloat16}, {InBFloat16, InFloat16}} {
		wantError(t, "SaveWeights", tr.SaveWeights(path, both...), path, "InFloat16", "InBFloat16")
		wantError(t, "Save", tr.Save(path, both...), path, "InFloat16", "InBFloat16")
	}
	tr.Params()[0].Value.Float32s()[3] = 1e6
	wantError(t, "SaveWeights", tr.SaveWeights(path, InFloat16), path, tr.Params()[0].Name, "element 3", "65504")
	if _, err := os.Stat(path); err == nil {
		t.Fatal("a file was written")
	}
}
