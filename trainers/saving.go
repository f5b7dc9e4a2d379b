package trainers

import "github.com/apo-gorgonia/apo/graph"

// SaveOption changes what Save and SaveWeights do.
type SaveOption int

// EvenNotFinite has weights and φ saved that are not finite. Without it that is an
// error, and the file that is there stays.
const EvenNotFinite SaveOption = 1

// checkSaved reports the first parameter, or array of φ, that is not finite.
func (e *engine) checkSaved(path string, opts []SaveOption) error {
	for _, o := range opts {
		if o == EvenNotFinite {
			return nil
		}
	}
	for _, p := range e.Task.Model {
		if !graph.Finite(p.Value) {
			return ErrNotFinite.Errorf("trainers: %s is not written: the weights %q are not finite", path, p.Name)
		}
	}
	for _, p := range e.Update.Phi() {
		if !graph.Finite(p.Value) {
			return ErrNotFinite.Errorf("trainers: %s is not written: φ %q is not finite", path, p.Name)
		}
	}
	return nil
}
