package graph

import (
	"fmt"
	"path"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// Role says what one application of a model is for.
type Role int

// The roles. Loss and Moved have the lookahead weights θ', the others θ.
const (
	BaseRole      Role = iota // J_B(θ), whose gradient is g
	LossRole                  // J_B(θ')
	OldRole                   // f(x~, θ) of the FSD term
	MovedRole                 // f(x~, θ') of the FSD term
	EvalRole                  // evaluation: no dropout, running statistics
	CurvatureRole             // the factors of KFAC and EKFAC and the rows of a Probe, on batch B
)

// Pass is handed to a model when it is built into a graph. It says for which
// role, and gives each dropout layer its stream of masks: J_B(θ) and J_B(θ')
// see the same masks, the two passes of the FSD term share others. So a pass
// adds no noise that the step itself did not have.
type Pass struct {
	Role   Role
	Random *apoops.Random

	dropouts uint64
	tracked  []tracked
	path     string
	outputs  []output
	notes    *notes                            // of the Problem that is rebuilt, nil for other sources
	fed      gorgonia.Nodes                    // inputs and targets of the Problem: leaves that are data
	plain    bool                              // a Problem is rebuilt op by op
	storage  Storage                           // of the Problem
	norms    []statistics                      // of a Standalone
	readers  map[*gorgonia.Node]gorgonia.Nodes // see Problem.readers
	norm     *jointNorm                        // nil for batch norm of the pass alone
	seen     map[*gorgonia.Node]bool           // see unseen
}

// note adds a note on what the user ought to know about their graph, once: a
// sentence that names the node, as describeUse does.
func (p *Pass) note(format string, a ...any) {
	if p.notes != nil {
		p.notes.add(fmt.Sprintf(format, a...))
	}
}

// tracked is a statistic and what it follows.
type tracked struct {
	running, batch *gorgonia.Node
	rate           float64
}

// output is what a named layer computes.
type output struct {
	layer string
	node  *gorgonia.Node
}

// Training reports whether dropout is on and batch norm uses batch statistics.
func (p *Pass) Training() bool { return p.Role != EvalRole }

// Track has a statistic of the model, running (see Param.Statistic), follow its
// value on the batch, a node of the same shape:
//
//	running ← running + rate·(batch - running)
//
// after each training step that is taken, at a rate from 0 to 1. A statistic that
// is tracked twice moves twice, in that order. Only J_B(θ) of the base graph moves
// statistics: the call does nothing in other passes.
func (p *Pass) Track(running, batch *gorgonia.Node, rate float64) {
	if p.Role == BaseRole {
		p.tracked = append(p.tracked, tracked{running, batch, rate})
	}
}

// NextStream is the stream of masks of the pass's next dropout layer.
func (p *Pass) NextStream() uint64 {
	p.dropouts++
	return p.Stream(p.dropouts)
}

// Stream is the stream of masks of a dropout layer in this pass: the layer's
// own on batch B, another on B'.
func (p *Pass) Stream(layer uint64) uint64 {
	if p.Role == OldRole || p.Role == MovedRole {
		return layer ^ 1<<63
	}
	return layer
}

// Layer builds the output of a layer under a name, by which a Trace finds it. The
// name of a layer within another is the path to it, such as "residual3/conv0". Neither a
// node nor an error is an error, and so is a random op of Gorgonia's.
func (p *Pass) Layer(name string, build func() (*gorgonia.Node, error)) (*gorgonia.Node, error) {
	outer := p.path
	p.path = path.Join(outer, name)
	y, err := build()
	if err == nil && y == nil {
		err = errNothing
	}
	if err == nil {
		err = checkRandom(p.unseen(y))
	}
	if err == nil {
		p.outputs = append(p.outputs, output{p.path, y})
	}
	p.path = outer
	return y, err
}
