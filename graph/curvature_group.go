package graph

import "gorgonia.org/gorgonia"

// divide has the configuration be about the part of the batch that this member computes.
func (k *Curvature) divide(c CurvatureConfig) (_ CurvatureConfig, err error) {
	k.part = k.group.part(c.Batch.Len())
	if k.group == nil {
		return c, nil
	}
	c.Random, c.Noise, c.Patches = k.part.random(c.Random), k.part.random(c.Noise), k.part.random(c.Patches)
	if c.Batch, err = k.part.cut(c.Batch); err != nil {
		return c, err
	}
	if k.inputShare, err = k.weightNode("inputs"); err != nil {
		return c, err
	}
	if k.squareShare, err = k.weightNode("squares"); err != nil {
		return c, err
	}
	if k.jointNorm() {
		if k.lossShare, err = k.weightNode("loss"); err != nil {
			return c, err
		}
	}
	return c, letScalar(k.inputShare, k.part.share())
}

// ownOf is the part of the batch that this member computes; it binds its weights.
func (k *Curvature) ownOf(batch Batch) (Batch, error) {
	if k.group == nil {
		return batch, nil
	}
	own, err := k.part.cut(batch)
	if err != nil {
		return own, err
	}
	w := k.group.weights(k.part, batch, own)
	loss := w.loss
	if k.t == nil { // drawn targets count where the discrepancy does
		loss = w.discrepancy
	}
	squares := bySquares(loss, w.examples)
	if k.lossShare != nil { // the gradients are those of the whole loss
		if err := letScalar(k.lossShare, loss); err != nil {
			return own, err
		}
		if squares = 0; w.examples > 0 {
			squares = 1 / w.examples
		}
	}
	return own, letScalar(k.squareShare, squares)
}

// beginSums makes the sums over all members. They are left out with what they add up.
func (k *Curvature) beginSums() {
	k.inputs, k.gradients = k.sums(k.inputShare, &k.moments), k.sums(k.squareShare, &k.moments)
	k.projections = k.sums(k.squareShare, &k.squares)
}

// endSums has the layers hand out the sums, and returns their nodes.
func (k *Curvature) endSums() (outputs gorgonia.Nodes, err error) {
	inputs, err := k.inputs.end()
	if err != nil {
		return nil, err
	}
	gradients, err := k.gradients.end()
	if err != nil {
		return nil, err
	}
	projections, err := k.projections.end()
	if err != nil {
		return nil, err
	}
	for _, l := range k.layers {
		if l == nil {
			continue
		}
		l.a, inputs = inputs[0], inputs[1:]
		l.g, gradients = gradients[0], gradients[1:]
		outputs = append(outputs, l.a, l.g)
		if l.d != nil {
			l.d, projections = projections[0], projections[1:]
			outputs = append(outputs, l.d)
		}
	}
	return outputs, nil
}
