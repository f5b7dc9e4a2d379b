package trainers

import (
	"io"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/group"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/precond"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
	"github.com/apo-gorgonia/apo/trainers/schedule"
)

// Optimizer describes an update rule by its hyperparameters, from package rule.
type Optimizer = rule.Optimizer

// CalibratedConfig has the settings of Calibrated, from package learn.
type CalibratedConfig = learn.CalibratedConfig

// Weight is λ_FSD or λ_WSD as a function of the step, from package learn.
type Weight = learn.Weight

// Const is the weight v at every step.
func Const(v float64) Weight { return learn.Const(v) }

// SGD is plain stochastic gradient descent.
func SGD(lr float64) *rule.SGDConfig { return rule.SGD(lr) }

// SGDm is stochastic gradient descent with momentum 0.9.
func SGDm(lr float64) *rule.SGDConfig { return rule.SGDm(lr) }

// RMSprop has decay 0.99 and ε = 1e-8.
func RMSprop(lr float64) *rule.RMSpropConfig { return rule.RMSprop(lr) }

// Adam has β1 = 0.9, β2 = 0.999 and ε = 1e-8.
func Adam(lr float64) *rule.AdamConfig { return rule.Adam(lr) }

// AdamW is Adam with decoupled weight decay 0.01.
func AdamW(lr float64) *rule.AdamConfig { return rule.AdamW(lr) }

// NAdamW is Nadam with decoupled weight decay 0.01.
func NAdamW(lr float64) *rule.NAdamWConfig { return rule.NAdamW(lr) }

// SGDHD is SGD with hypergradient descent, which moves its rate.
func SGDHD(lr float64) *rule.SGDHDConfig { return rule.SGDHD(lr) }

// AdamHD is Adam with hypergradient descent.
func AdamHD(lr float64) *rule.AdamHDConfig { return rule.AdamHD(lr) }

// HDMHB is hypergradient descent with heavy-ball momentum, which moves rates and momentum.
func HDMHB(lr float64) *rule.HDMHBConfig { return rule.HDMHB(lr) }

// DoG is distance over gradients; lr is a factor on its step size, 1.
func DoG(lr float64) *rule.DoGConfig { return rule.DoG(lr) }

// LDoG is DoG for each parameter by itself.
func LDoG(lr float64) *rule.DoGConfig { return rule.LDoG(lr) }

// DAdaptAdam is Adam with D-Adaptation; lr is a factor on its step size, 1.
func DAdaptAdam(lr float64) *rule.DAdaptAdamConfig { return rule.DAdaptAdam(lr) }

// Prodigy is Adam with an estimate of its step size, on which lr is a factor, 1.
func Prodigy(lr float64) *rule.ProdigyConfig { return rule.Prodigy(lr) }

// ScheduleFreeSGD needs no schedule: an average of its weights is evaluated and saved.
func ScheduleFreeSGD(lr float64) *rule.ScheduleFreeConfig { return rule.ScheduleFreeSGD(lr) }

// ScheduleFreeAdamW is the same with the steps of AdamW.
func ScheduleFreeAdamW(lr float64) *rule.ScheduleFreeConfig { return rule.ScheduleFreeAdamW(lr) }

// Muon orthogonalises the momentum of matrices and has AdamW for all else.
func Muon(lr float64) *rule.MuonConfig { return rule.Muon(lr) }

// SOAP is Adam in the eigenbasis of Shampoo's statistics.
func SOAP(lr float64) *rule.SOAPConfig { return rule.SOAP(lr) }

// PSGDKron whitens the momentum by a preconditioner with Kronecker factors.
func PSGDKron(lr float64) *rule.PSGDKronConfig { return rule.PSGDKron(lr) }

// Mechanic learns a factor on all that another rule has moved the weights.
func Mechanic(base Optimizer) *rule.MechanicConfig { return rule.Mechanic(base) }

// Group chooses parameters and says how they are trained, from package group.
type Group = group.Group

// Groups has groups of parameters with rules of their own, and rest for the others.
func Groups(rest Optimizer, groups ...Group) *group.Config { return group.New(rest, groups...) }

// MetaSGD, MetaRMSprop and MetaAdam are meta-optimizers, which move φ.
func MetaSGD(lr float64) Optimizer { return rule.MetaSGD(lr) }

// MetaRMSprop is RMSprop on φ with bias correction.
func MetaRMSprop(lr float64) Optimizer { return rule.MetaRMSprop(lr) }

// MetaAdam is Adam on φ.
func MetaAdam(lr float64) Optimizer { return rule.MetaAdam(lr) }

// NamedTensor is a tensor with its name in a file, from package checkpoint.
type NamedTensor = checkpoint.NamedTensor

// The causes of errors about files, from package checkpoint.
var (
	ErrCorruptCheckpoint  = checkpoint.ErrCorrupt
	ErrNewerCheckpoint    = checkpoint.ErrNewer
	ErrCorruptSafetensors = checkpoint.ErrCorruptSafetensors
)

// The kinds of errors that a program may want to distinguish, those of package graph. Test for them with errors.Is.
var (
	// ErrNotFinite: a loss, gradient, update, weight or input is NaN or infinite.
	// A training step with such an error was not taken.
	ErrNotFinite = graph.ErrNotFinite
	// ErrShape: an array has another shape than is needed there, such as a batch of
	// another size than the first.
	ErrShape = graph.ErrShape
	// ErrDtype: an array has another dtype than is needed there.
	ErrDtype = graph.ErrDtype
	// ErrTarget: a target is not one that the loss can take: the number of a class
	// that does not exist, or one outside [0, 1] for BernoulliCrossEntropy.
	ErrTarget = graph.ErrTarget
	// ErrNoSample: KFAC or EKFAC need targets that the loss cannot draw.
	ErrNoSample = graph.ErrNoSample
)

// Statistics of steps and what becomes of them, from package record.
type (
	Stats    = record.Stats
	Recorder = record.Recorder
	History  = record.History
	JSONL    = record.JSONL
	CSV      = record.CSV
)

// Multi passes every step to all recorders.
func Multi(recorders ...Recorder) Recorder { return record.Multi(recorders...) }

// Every passes the steps 0, n, 2n, … to r.
func Every(n int, r Recorder) Recorder { return record.Every(n, r) }

// NewJSONL writes one JSON object per step and line.
func NewJSONL(w io.Writer) *JSONL { return record.NewJSONL(w) }

// OpenJSONL opens the log of a run that may be resumed.
func OpenJSONL(path string, steps int) (log *JSONL, lines int, err error) {
	return record.OpenJSONL(path, steps)
}

// NewCSV writes a table with one row per step.
func NewCSV(w io.Writer) *CSV { return record.NewCSV(w) }

// OpenCSV opens the table of a run that may be resumed.
func OpenCSV(path string, steps int) (log *CSV, rows int, err error) {
	return record.OpenCSV(path, steps)
}

// KFAC is natural gradient descent with Kronecker factors.
func KFAC(lr float64) *curvature.KFACConfig { return curvature.KFAC(lr) }

// EKFAC is KFAC with scalings of its own in the factors' eigenbases.
func EKFAC(lr float64) *curvature.EKFACConfig { return curvature.EKFAC(lr) }

// SINGD is natural gradient descent with Kronecker factors that need no inverses.
func SINGD(lr float64) *curvature.SINGDConfig { return curvature.SINGD(lr) }

// Shampoo has a preconditioner from second moments of the gradient alone.
func Shampoo(lr float64) *curvature.ShampooConfig { return curvature.Shampoo(lr) }

// Precond is APO-Precond with a preconditioner of low rank, at rate lr or, with 0, at one
// that it finds before the first step: the recommended form.
func Precond(lr float64) *precond.Config { return precond.New(lr) }

// PrecondPlain is APO-Precond as the paper has it, starting as SGD at rate lr.
func PrecondPlain(lr float64) *precond.PlainConfig { return precond.Plain(lr) }

// Schedule is a factor on the learning rate, from package schedule.
type Schedule = schedule.Schedule

// Constant is the factor 1 at every step.
func Constant() Schedule { return schedule.Constant() }

// StepDecay multiplies the rate by factor at each of the given steps.
func StepDecay(factor float64, steps ...int) Schedule { return schedule.StepDecay(factor, steps...) }

// Cosine goes from 1 at step 0 along half a cosine to final at step total.
func Cosine(total int, final float64) Schedule { return schedule.Cosine(total, final) }

// WarmUp rises linearly for so many steps; from there on it is then.
func WarmUp(steps int, then Schedule) Schedule { return schedule.WarmUp(steps, then) }

// InverseSqrt rises linearly for warmup steps, then falls as √(warmup/(step+1)).
func InverseSqrt(warmup int) Schedule { return schedule.InverseSqrt(warmup) }

// SchedulePoint is a point of Piecewise, from package schedule.
type SchedulePoint = schedule.Point

// Piecewise goes along straight lines through points: a linear decay, one cycle, or
// warm-up-stable-decay.
func Piecewise(points ...SchedulePoint) Schedule { return schedule.Piecewise(points...) }

// Data sets and their mini-batches, from package batch.
type (
	Data    = batch.Data
	Dataset = batch.Dataset
	Batches = batch.Batches
)

// NewBatches serves shuffled mini-batches of the given size.
func NewBatches(data Dataset, size int, seed uint64) (*Batches, error) {
	return batch.New(data, size, seed)
}
