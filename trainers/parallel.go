package trainers

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/graph"
)

// Communicator joins the processes of one training, from package collective; package mpi
// has those that mpirun starts.
type Communicator = collective.Communicator

// Parallel divides the examples of each mini-batch among the members of comm, for a Trainer
// made by New. All members take the same steps: they run the same program with the same
// options on the same data, and give Step the whole batch, of which each computes the passes
// of its own part. Gradients, losses, the terms of Q, ∂Q/∂φ and the statistics of KFAC, EKFAC
// and APO-Precond are those of the whole batch. Weights, φ and all state are the same on all
// members, bit for bit, and those of a run by one process but for the order of sums, masks
// of dropout and drawn targets included. Batch norm takes the statistics of a member's part,
// with JointBatchNorm those of the whole batch. The sums of gradients go on beside the rest
// of the backward pass.
// With a dynamic loss scale (Precision) other steps may be skipped: it is the gradient of a
// part that overflows.
//
// Before the first step, and that after Load, the members compare their weights, settings,
// libraries and mini-batch: where those of one differ from rank 0's, the step is an error on
// all that names it.
//
// Save and SaveWeights write on the member of rank 0 and return its error on all, which is
// shared (collective.IsShared). Errors of Step and Evaluate name the rank; those of Step are
// a member's own unless they are shared, and it ends with comm.Abort: the others wait for it.
// Package durable has Together, by which all members stop after the same step.
func Parallel(comm Communicator, settings ...ParallelSetting) Option {
	return func(c *config) error {
		if graph.IsNil(comm) {
			return errors.New("trainers: Parallel: no communicator")
		}
		c.comm, c.jointNorm = comm, false
		for _, s := range settings {
			if s == nil {
				return errors.New("trainers: Parallel: a setting is nil")
			}
			s(c)
		}
		return nil
	}
}

// ParallelSetting is a setting of Parallel.
type ParallelSetting func(c *config)

// JointBatchNorm has batch norm take the mean and variance of the whole mini-batch, as one
// process does, in place of those of a member's part. Each layer then waits for all members
// three times a step: twice forwards, once backwards.
func JointBatchNorm() ParallelSetting { return func(c *config) { c.jointNorm = true } }

// alone reports options that are given to what cannot divide its batches.
func (c *config) alone() error {
	name := ""
	switch {
	case c.members() != nil:
		name = "Parallel"
	case c.parts > 1:
		name = "Accumulate"
	default:
		return nil
	}
	return errors.Errorf("%s needs a Trainer made by New: a graph of the user's is made for mini-batches of one size", name)
}

// members are those of Parallel, nil for a training by one process.
func (c *config) members() Communicator {
	if c.comm == nil || c.comm.Size() == 1 {
		return nil
	}
	return c.comm
}

// onFirst has the member of rank 0 do what one alone must do. Its error is that of all.
func (e *engine) onFirst(do func() error) error {
	comm := e.c.members()
	if comm == nil {
		return do()
	}
	return errors.WithMessage(collective.OnFirst(comm, do), "trainers")
}

// ofMember names the member that has an error, where there are several.
func (c *config) ofMember(err error) error {
	comm := c.members()
	var m *collective.MemberError
	if err == nil || comm == nil || errors.As(err, &m) {
		return err
	}
	return &collective.MemberError{Rank: comm.Rank(), Err: err}
}

// agree compares, before the first step and that after Load, what the members begin with.
func (e *engine) agree(b graph.Batch) error {
	comm := e.c.members()
	if comm == nil || e.agreed {
		return nil
	}
	doc, err := e.metaDocument()
	if err != nil {
		return err
	}
	where := doc.Environment
	doc.Environment = nil
	for _, part := range []struct {
		name string
		of   any
	}{
		{"the BLAS, oneDNN or Go", where}, {"the settings", doc}, {"the weights or the state", digests(e.tensors())}, {"the mini-batch", [][]string{digestsOf(b.X), digestsOf(b.T)}},
	} {
		text, err := json.Marshal(part.of)
		if err != nil {
			return errors.Wrap(err, "trainers: Parallel")
		}
		ranks, err := collective.Differing(comm, text)
		if err != nil {
			return errors.WithMessage(err, "trainers: Parallel")
		}
		if ranks != nil {
			return &collective.MemberError{Rank: -1, Shared: true,
				Err: errors.Errorf("trainers: Parallel: the members do not begin alike: %s of ranks %v are not those of rank 0", part.name, ranks)}
		}
	}
	e.agreed = true
	return nil
}

// digests are hashes of arrays, with their names.
func digests(all []NamedTensor) map[string]string {
	m := make(map[string]string, len(all))
	for _, t := range all {
		m[t.Name] = digest(t.Value)
	}
	return m
}

func digestsOf(arrays []*tensor.Dense) (all []string) {
	for _, a := range arrays {
		all = append(all, digest(a))
	}
	return all
}

func digest(a *tensor.Dense) string {
	if a == nil { // the batch is refused later
		return ""
	}
	h := fnv.New64a()
	fmt.Fprint(h, a.Dtype(), a.Shape())
	if err := binary.Write(h, binary.LittleEndian, widths(a.Data())); err != nil {
		fmt.Fprint(h, a.Data()) // no array of numbers
	}
	return strconv.FormatUint(h.Sum64(), 16)
}

// widths gives integers a size that does not depend on the machine.
func widths(x any) any {
	ints, ok := x.([]int)
	if !ok {
		return x
	}
	wide := make([]int64, len(ints))
	for i, v := range ints {
		wide[i] = int64(v)
	}
	return wide
}
