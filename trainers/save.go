package trainers

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

// Save writes a checkpoint: weights, the model's statistics, optimizer state, φ,
// the learner's state, B', the step's number and a description of the run. path
// always holds a complete checkpoint (see checkpoint.Write). Weights or φ that are not
// finite are an error (ErrNotFinite) without EvenNotFinite.
func (t *Trainer) Save(path string, opts ...SaveOption) error { return t.engine.save(path, opts) }

// Load restores a checkpoint of the same run. The steps that follow are those of a
// run never stopped, bit for bit and on any number of cores, if data, λ and
// schedules are functions of the step's number, and BLAS, oneDNN, Go and the kind of
// processor are those that wrote it. Where they are others, Notes names them: the
// last bits may differ.
//
// Everything that shaped the run must be as it was: model and parameters, loss and
// divergence, optimizer and learner with their settings, the options, seed and
// dtype, the shapes of the mini-batches. The error names each setting that differs,
// with both values. Functions cannot be compared: of TildeFrom, CalibrateFrom,
// FSDSchedule, WSDSchedule, Blocks and SampledTargets only their presence, of a
// loss its name, of a model that is no graph.Describer its parameters. What a
// checkpoint of an older version does not have is not compared, but for FSDFraction,
// which was 1. Where FSDFraction is not given it becomes that of the checkpoint, and so does
// the rounding of weights in 16 bits. To go on with other settings on purpose, use LoadWeights.
//
// After an error the trainer is as before. Its cause may be ErrCorruptCheckpoint or
// ErrNewerCheckpoint.
func (t *Trainer) Load(path string) error { return t.engine.load(path) }

// SetRecorder sends the statistics of the steps that follow to r, in place of the recorder
// before; nil stands for none. It is the option Record for a run that may go on: its log is
// opened at the number of steps, which Load knows.
//
//	err := tr.Load("checkpoint")
//	log, _, err := trainers.OpenJSONL("steps.jsonl", tr.Steps())
//	err = tr.SetRecorder(log)
func (t *Trainer) SetRecorder(r Recorder) error { return t.engine.setRecorder(r) }

// SaveWeights writes the weights and the model's statistics alone, as a
// safetensors file. It refuses what Save refuses. The weights are those of Evaluated.
func (t *Trainer) SaveWeights(path string, opts ...SaveOption) error {
	return t.engine.saveWeights(path, opts)
}

// LoadWeights takes the weights and the model's statistics alone, from a checkpoint
// of any run or a safetensors file: for fine-tuning, or to go on at another rate or
// with another optimizer. All else stays as it is: in a new trainer, the start. The
// file must have each parameter in its shape and dtype and, of weights, no others,
// and none may be NaN or infinite (ErrNotFinite). After an error the trainer is as before.
func (t *Trainer) LoadWeights(path string) error { return t.engine.loadWeights(path) }

// LoadTorch is LoadWeights from the safetensors file of a PyTorch model. m says which of its
// tensors make which parameters here; torch.Modules makes m from the names of modules. Every
// tensor must belong to a parameter, fit it and be finite, but for the counters of nn.BatchNorm;
// float64 may become float32. Package torch has the axes that are moved. After an error the
// trainer is as before.
func (t *Trainer) LoadTorch(path string, m torch.Map) error { return t.engine.loadTorch(path, m) }

// SaveTorch is SaveWeights for PyTorch: it writes the tensors of a state dict, with its
// names and axes. The Source of a convolution needs its Kernel, which torch.Modules sets. What
// is not finite is an error.
func (t *Trainer) SaveTorch(path string, m torch.Map) error { return t.engine.saveTorch(path, m) }

// Save is Trainer.Save.
func (s *Solver) Save(path string, opts ...SaveOption) error { return s.engine.save(path, opts) }

// Load is Trainer.Load; the weights go to the graph's parameters. The graph must be
// that of the run: its operations are compared.
func (s *Solver) Load(path string) error { return s.engine.load(path) }

// SetRecorder is Trainer.SetRecorder.
func (s *Solver) SetRecorder(r Recorder) error { return s.engine.setRecorder(r) }

// SaveWeights is Trainer.SaveWeights.
func (s *Solver) SaveWeights(path string, opts ...SaveOption) error {
	return s.engine.saveWeights(path, opts)
}

// LoadWeights is Trainer.LoadWeights; the weights go to the graph's parameters.
func (s *Solver) LoadWeights(path string) error { return s.engine.loadWeights(path) }

// LoadTorch is Trainer.LoadTorch; the weights go to the graph's parameters.
func (s *Solver) LoadTorch(path string, m torch.Map) error { return s.engine.loadTorch(path, m) }

// SaveTorch is Trainer.SaveTorch.
func (s *Solver) SaveTorch(path string, m torch.Map) error { return s.engine.saveTorch(path, m) }

// SaveOption changes what Save and SaveWeights do.
type SaveOption int

const (
	// EvenNotFinite has weights and φ saved that are not finite. Without it that is an
	// error, and the file that is there stays.
	EvenNotFinite SaveOption = 1
	// InFloat16 has SaveWeights round the weights to float16 (F16), for other programs; a
	// weight beyond its range is an error that names the parameter. Save refuses it, for
	// a run goes on from what it was.
	InFloat16 SaveOption = 2
	// InBFloat16 is InFloat16 with bfloat16 (BF16). Both together are an error.
	InBFloat16 SaveOption = 3
)

// savedFormat is the format of 16 bits that the options ask for. Two formats are an error.
func savedFormat(path string, opts []SaveOption) (f apoops.Format, ok bool, err error) {
	if slices.Contains(opts, InFloat16) && slices.Contains(opts, InBFloat16) {
		return 0, false, errors.Errorf("trainers: %s is not written: InFloat16 and InBFloat16: leave one of them out", path)
	}
	if slices.Contains(opts, InBFloat16) {
		return apoops.BFloat16, true, nil
	}
	return apoops.Float16, slices.Contains(opts, InFloat16), nil
}

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

func (e *engine) setRecorder(r Recorder) error {
	if e == nil {
		return errNotMade
	}
	if e.c.recorder = r; graph.IsNil(r) {
		e.c.recorder = nil
	}
	return nil
}
