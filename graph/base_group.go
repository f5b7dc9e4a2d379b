package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// divide has the example be about the part of the batch that this member computes.
func (b *Base) divide(example Batch, masks *apoops.Random) (Batch, *apoops.Random, error) {
	b.part = b.group.part(example.Len())
	if b.group == nil {
		return example, masks, nil
	}
	var err error
	if b.weight, err = b.weightNode("loss"); err != nil {
		return example, nil, err
	}
	example, err = b.part.cut(example)
	return example, b.part.random(masks), err
}

// differentiateJoint makes the gradients of the loss and, with a group, the sums over all
// members of it, of them and of the statistics. Those of gradients begin as the backward
// pass makes these, the last layer's first; what ends them stands behind the pass.
func (b *Base) differentiateJoint(loss *gorgonia.Node, wrt gorgonia.Nodes, pass *Pass) error {
	statistics, err := b.beginStatistics(pass)
	if err != nil {
		return err
	}
	if b.group == nil {
		gorgonia.Read(loss, &b.loss)
		b.grads, err = b.differentiate(loss, wrt)
		return err
	}
	own, w, err := b.weighed(loss, b.weight)
	if err != nil {
		return err
	}
	all := b.sums(w, nil)
	if err := all.add(own); err != nil {
		return err
	}
	var order []int
	b.grads, err = b.differentiateEach(own, wrt, func(i int, grad *gorgonia.Node) error {
		g, err := b.unscaled(grad)
		if err != nil {
			return err
		}
		order = append(order, i)
		return all.add(g...)
	})
	if err != nil {
		return err
	}
	joint, err := all.end()
	if err != nil {
		return err
	}
	gorgonia.Read(joint[0], &b.loss)
	for j, i := range order {
		b.handed[i] = joint[1+j]
	}
	return b.endStatistics(pass, statistics)
}

// beginStatistics begins the sums that the model's statistics follow, means over all members
// by examples.
func (b *Base) beginStatistics(pass *Pass) (*sums, error) {
	if b.group == nil || len(pass.tracked) == 0 {
		return nil, nil
	}
	w, err := b.weightNode("examples")
	if err != nil {
		return nil, err
	}
	if err := letScalar(w, b.part.share()); err != nil {
		return nil, err
	}
	s := b.sums(w, nil)
	for _, t := range pass.tracked {
		if t.batch == nil {
			continue // an error of readStatistics
		}
		b.keepSingle(t.batch)
		if err := s.add(t.batch); err != nil {
			return nil, err
		}
	}
	return s, s.begin()
}

// endStatistics has the statistics follow these sums.
func (b *Base) endStatistics(pass *Pass, s *sums) error {
	if s == nil {
		return nil
	}
	joint, err := s.end()
	if err != nil {
		return err
	}
	for i := range pass.tracked {
		if t := &pass.tracked[i]; t.batch != nil {
			t.batch, joint = joint[0], joint[1:]
		}
	}
	return nil
}
