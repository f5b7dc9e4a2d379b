package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// bucketBytes is the size from which on arrays are summed up over all members: smaller ones
// wait for the next and share a transfer with them, for each transfer costs a latency. With
// larger buckets the first transfer would begin late in the backward pass.
const bucketBytes = 1 << 20

// sums are sums over all members. They begin in buckets, each when what it adds up has
// been computed, and end together behind all that was built in between: so transfers go on
// beside it. Ops run in the order in which they are built (see executionOrder). Without a
// group the sums are the nodes.
type sums struct {
	p     *program
	w     *gorgonia.Node // nil for 1
	on    *apoops.Switch // nil for always
	next  gorgonia.Nodes // of the bucket that is not full
	bytes int            // their size
	begun gorgonia.Nodes
	alone gorgonia.Nodes // without a group
}

// sums are some with a weight, nil for 1. Runs leave them out where on, which may be nil,
// is off.
func (p *program) sums(w *gorgonia.Node, on *apoops.Switch) *sums {
	return &sums{p: p, w: w, on: on}
}

// add adds nodes that are to be summed up.
func (s *sums) add(nodes ...*gorgonia.Node) error {
	if s.p.group == nil {
		s.alone = append(s.alone, nodes...)
		return nil
	}
	for _, n := range nodes {
		s.next = append(s.next, n)
		s.bytes += max(1, n.Shape().TotalSize()) * int(s.p.dt.Size())
		if s.bytes < bucketBytes {
			continue
		}
		if err := s.begin(); err != nil {
			return err
		}
	}
	return nil
}

// begin begins the sums of a bucket.
func (s *sums) begin() (err error) {
	if len(s.next) == 0 {
		return nil
	}
	if s.w == nil {
		if s.w, err = s.p.oneWeight(); err != nil {
			return err
		}
	}
	n, err := apoops.BeginJoint(s.p.group.comm, s.on, s.w, s.next...)
	s.begun, s.next, s.bytes = append(s.begun, n), nil, 0
	return err
}

// end are the sums, in the order in which their nodes were added.
func (s *sums) end() (all gorgonia.Nodes, err error) {
	if s.p.group == nil {
		return s.alone, nil
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	for _, b := range s.begun {
		parts, err := apoops.EndJoint(b)
		if err != nil {
			return nil, err
		}
		all = append(all, parts...)
	}
	return all, nil
}
