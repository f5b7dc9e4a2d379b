package graph_test

import (
	"gorgonia.org/gorgonia"
)

func init() { tables = append(tables, losses(), penalties()) }

// losses are of logits or predictions x·W.
func losses() []pattern {
	linear := func(u *user, outputs int) *gorgonia.Node { return product(u.x(4, 3), u.w(3, outputs)) }
	return []pattern{
		{name: "loss/mean of squares", build: func(u *user) (out, cost *gorgonia.Node) { return u.mse(linear(u, 2)) }},
		{name: "loss/half of squares", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 2)
			return out, product(u.num(0.5), mean(sum(square(sub(out, u.y(4, 2))), 1)))
		}},
		{name: "loss/sum of squares by the size", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 2)
			return out, over(sum(square(sub(out, u.y(4, 2)))), u.num(4))
		}},
		{name: "loss/mean of means", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 2)
			return out, mean(mean(square(sub(u.y(4, 2), out)), 1))
		}},
		{name: "loss/absolute", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 2)
			return out, mean(must(gorgonia.Abs(sub(out, u.y(4, 2)))))
		}},
		{name: "loss/huber", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 2)
			e := must(gorgonia.Abs(sub(out, u.y(4, 2))))
			small := must(gorgonia.Lt(e, u.num(0.5), true))
			quadratic, flat := product(u.num(0.5), square(e)), sub(product(u.num(0.5), e), u.num(0.125))
			return out, mean(plus(times(small, quadratic), times(sub(u.num(1), small), flat)))
		}},
		{name: "loss/log cosh", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 2)
			e := sub(out, u.y(4, 2))
			return out, mean(logOf(product(u.num(0.5), plus(exp(e), exp(neg(e))))))
		}},
		{name: "loss/hinge", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 1)
			signs := sub(product(u.num(2), u.bits(4, 1)), u.num(1))
			return out, mean(must(gorgonia.Rectify(sub(u.num(1), times(signs, out)))))
		}},
		{name: "loss/squared hinge", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 1)
			signs := sub(product(u.num(2), u.bits(4, 1)), u.num(1))
			return out, mean(square(must(gorgonia.Rectify(sub(u.num(1), times(signs, out))))))
		}},
		{name: "loss/binary cross-entropy by hand", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 1)
			p, y := sigmoid(out), u.bits(4, 1)
			one := u.num(1)
			return out, neg(mean(plus(times(y, logOf(p)), times(sub(one, y), logOf(sub(one, p))))))
		}},
		{name: "loss/binary cross-entropy with clipping by ε", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 1)
			p, y, eps := sigmoid(out), u.bits(4, 1), u.num(1e-7)
			return out, neg(mean(plus(times(y, logOf(plus(p, eps))), times(sub(u.num(1), y), logOf(plus(sub(u.num(1), p), eps))))))
		}},
		{name: "loss/BinaryXent of a sigmoid", build: func(u *user) (out, cost *gorgonia.Node) {
			out = sigmoid(linear(u, 1))
			return out, mean(must(gorgonia.BinaryXent(out, u.bits(4, 1))))
		}},
		{name: "loss/BinaryXent of another function", build: func(u *user) (out, cost *gorgonia.Node) {
			out = over(plus(tanh(linear(u, 2)), u.num(1.5)), u.num(3))
			return out, mean(must(gorgonia.BinaryXent(out, u.bits(4, 2))))
		}},
		{name: "loss/logistic with softplus", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 1)
			return out, mean(sub(must(gorgonia.Softplus(out)), times(out, u.bits(4, 1))))
		}},
		{name: "loss/cross-entropy by log-sum-exp", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 3)
			return out, mean(sub(logOf(sum(exp(out), 1)), sum(times(out, u.oneHot(4, 3)), 1)))
		}},
		{name: "loss/cross-entropy of a softmax by hand", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 3)
			return out, neg(mean(sum(times(u.oneHot(4, 3), logOf(rowSoftmax(out))), 1)))
		}},
		{name: "loss/cross-entropy, mean over all", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 3)
			return out, neg(mean(times(u.oneHot(4, 3), logOf(rowSoftmax(out)))))
		}},
		{name: "loss/Kullback-Leibler of Gaussians", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(4, 3)
			mu, logVar := product(x, u.w(3, 2)), product(x, u.w(3, 2))
			z := plus(mu, times(exp(product(u.num(0.5), logVar)), u.x(4, 2)))
			out, rebuilt := u.mse(product(z, u.w(2, 3)))
			kl := product(u.num(-0.5), mean(sub(sub(plus(u.num(1), logVar), square(mu)), exp(logVar))))
			return out, plus(rebuilt, kl)
		}},
		{name: "loss/policy gradient with a value", build: func(u *user) (out, cost *gorgonia.Node) {
			h := tanh(linear(u, 5))
			out = product(h, u.w(5, 3))
			value := tanh(product(h, u.w(5, 1)))
			policy := neg(mean(sum(times(u.oneHot(4, 3), logOf(rowSoftmax(out))), 1)))
			return out, plus(policy, mean(square(sub(value, u.y(4, 1)))))
		}},
		{name: "loss/weighted examples", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 2)
			each := sum(square(sub(out, u.y(4, 2))), 1)
			return out, mean(times(u.x(4), each))
		}},
		{name: "loss/cosine distance", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 3)
			y := u.y(4, 3)
			norms := times(must(gorgonia.Norm(out, 1, 2)), must(gorgonia.Norm(y, 1, 2)))
			return out, mean(sub(u.num(1), over(sum(times(out, y), 1), norms)))
		}},
		{name: "loss/negative log-likelihood of a Gaussian", build: func(u *user) (out, cost *gorgonia.Node) {
			out = linear(u, 1)
			scale := u.w()
			e := square(sub(out, u.y(4, 1)))
			return out, plus(scale, product(u.num(0.5), mean(product(e, exp(product(u.num(-2), scale))))))
		}},
	}
}

// penalties are terms of the weights alone.
func penalties() []pattern {
	with := func(name string, penalty func(u *user, w *gorgonia.Node) *gorgonia.Node) pattern {
		return pattern{name: "penalty/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			w := u.w(3, 2)
			out, cost = u.mse(product(u.x(4, 3), w))
			return out, plus(cost, penalty(u, w))
		}}
	}
	return []pattern{
		with("0.01·Σw²", func(u *user, w *gorgonia.Node) *gorgonia.Node { return product(u.num(0.01), sum(square(w))) }),
		with("Σw²·0.01", func(u *user, w *gorgonia.Node) *gorgonia.Node { return product(sum(square(w)), u.num(0.01)) }),
		with("mean of squares", func(u *user, w *gorgonia.Node) *gorgonia.Node { return mean(square(w)) }),
		with("Σ|w|", func(u *user, w *gorgonia.Node) *gorgonia.Node {
			return product(u.num(0.01), sum(must(gorgonia.Abs(w))))
		}),
		with("elastic net", func(u *user, w *gorgonia.Node) *gorgonia.Node {
			return plus(product(u.num(0.01), sum(must(gorgonia.Abs(w)))), product(u.num(0.02), sum(square(w))))
		}),
		with("norm", func(u *user, w *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Sqrt(sum(square(w)))) }),
	}
}
