package graph

import "math"

// divide has the configuration be about the part of the examples that this member computes.
func (k *Probe) divide(c ProbeConfig) (_ ProbeConfig, err error) {
	k.part = k.group.part(k.examples)
	if k.group == nil {
		return c, nil
	}
	c.Random, c.Noise = k.part.random(c.Random), k.part.random(c.Noise)
	if c.Batch, err = k.part.cut(Batch{X: c.Batch.X}); err != nil {
		return c, err
	}
	if k.countShare, err = k.weightNode("counts"); err != nil {
		return c, err
	}
	if k.inputShare, err = k.weightNode("inputs"); err != nil {
		return c, err
	}
	if k.gradShare, err = k.weightNode("gradients"); err != nil || !k.part.empty {
		return c, err
	}
	return c, letScalar(k.inputShare, 0)
}

// joinRows has a block's rows be those of all members.
func (k *Probe) joinRows(p *probed) (err error) {
	if k.group == nil {
		return nil
	}
	if p.x, err = k.jointRows(k.part, k.inputShare, p.x); err != nil {
		return err
	}
	p.z, err = k.jointRows(k.part, k.rowShare, p.z)
	return err
}

// ownOf is the part of the examples that this member computes; it binds their weights. Its
// objective is √b'·<q, f> with q of size 1/√n for n terms that count, or b' times a mean over
// n of them where targets are drawn: with b' and n of the part its gradients are too large.
func (k *Probe) ownOf(examples Batch) (Batch, error) {
	own, err := k.part.cut(examples)
	if err != nil {
		return own, err
	}
	w := k.group.weights(k.part, examples, own)
	gradients := 0.0
	if w.examples > 0 {
		gradients = w.discrepancy / w.examples
	}
	if k.half != nil {
		gradients = math.Sqrt(gradients)
	}
	if err := letScalar(k.countShare, w.discrepancy); err != nil {
		return own, err
	}
	return own, letScalar(k.gradShare, gradients)
}
