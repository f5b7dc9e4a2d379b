package rule

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// twin is an update rule for one vector w of all weights, as its paper has it: it moves w
// by the gradient g at step t, counted from 1, and returns the weights that are evaluated.
// layers are where the parameters begin and end in w.
type twin func(t int, rate float64, w, g []float64, layers []int) (evaluated []float64)

func normSq(x []float64) (s float64) {
	for _, v := range x {
		s += v * v
	}
	return s
}

func minus(x, y []float64) []float64 {
	d := make([]float64, len(x))
	for i := range d {
		d[i] = x[i] - y[i]
	}
	return d
}

// twinDoG is Algorithm 1 of Ivgi et al. with r_ε = relDist·(1+‖x_0‖), on each of the
// stretches.
func twinDoG(c DoGConfig) twin {
	var start []float64
	far, sum := map[int]float64{}, map[int]float64{}
	return func(t int, rate float64, w, g []float64, layers []int) []float64 {
		if t == 1 {
			start = append([]float64(nil), w...)
		}
		if !c.Layerwise {
			layers = []int{0, len(w)}
		}
		for l := range layers[:len(layers)-1] {
			lo, hi := layers[l], layers[l+1]
			grad := make([]float64, hi-lo)
			for i := range grad {
				grad[i] = g[lo+i] + c.WeightDecay*w[lo+i]
			}
			if t == 1 {
				far[l], sum[l] = c.RelDist*(1+math.Sqrt(normSq(w[lo:hi]))), c.Eps
			}
			far[l] = max(far[l], math.Sqrt(normSq(minus(w[lo:hi], start[lo:hi]))))
			sum[l] += normSq(grad)
			for i, x := range grad {
				w[lo+i] -= rate * far[l] / math.Sqrt(sum[l]) * x
			}
		}
		return w
	}
}

func twinSGDHD(c SGDHDConfig) twin {
	alpha, last := c.LR, []float64(nil)
	return func(t int, rate float64, w, g []float64, _ []int) []float64 {
		grad := make([]float64, len(g))
		for i, x := range g {
			grad[i] = x + c.WeightDecay*w[i]
			if t > 1 {
				alpha += c.HyperLR * grad[i] * last[i]
			}
		}
		for i, x := range grad {
			w[i] -= alpha * rate / c.LR * x
		}
		last = grad
		return w
	}
}

func twinAdamHD(c AdamHDConfig) twin {
	alpha := c.LR
	var m, v, u []float64
	return func(t int, rate float64, w, g []float64, _ []int) []float64 {
		if t == 1 {
			m, v, u = make([]float64, len(w)), make([]float64, len(w)), make([]float64, len(w))
		}
		for i, x := range g { // h_t = g_t·∇_α u_{t-1}
			alpha += c.HyperLR * (x + c.WeightDecay*w[i]) * u[i]
		}
		for i, x := range g {
			x += c.WeightDecay * w[i]
			m[i] = c.Beta1*m[i] + (1-c.Beta1)*x
			v[i] = c.Beta2*v[i] + (1-c.Beta2)*x*x
			mhat, vhat := m[i]/(1-math.Pow(c.Beta1, float64(t))), v[i]/(1-math.Pow(c.Beta2, float64(t)))
			u[i] = mhat / (math.Sqrt(vhat) + c.Eps)
			w[i] -= alpha * rate / c.LR * u[i]
		}
		return w
	}
}

func biasOf(on bool, beta1, beta2 float64, t int) float64 {
	if !on {
		return 1
	}
	return math.Sqrt(1-math.Pow(beta2, float64(t))) / (1 - math.Pow(beta1, float64(t)))
}

// twinProdigy is Algorithm 4 of Mishchenko & Defazio with the settings of their program.
func twinProdigy(c ProdigyConfig) twin {
	d, most, r := c.D0, c.D0, 0.0
	var m, v, s, start []float64
	return func(t int, rate float64, w, g []float64, _ []int) []float64 {
		n := len(w)
		if t == 1 {
			m, v, s, start = make([]float64, n), make([]float64, n), make([]float64, n), append([]float64(nil), w...)
		}
		beta3 := c.Beta3
		if beta3 == 0 {
			beta3 = math.Sqrt(c.Beta2)
		}
		step := d * rate * biasOf(c.BiasCorrection, c.Beta1, c.Beta2, t)
		r *= beta3
		l1 := 0.0
		for i, x := range g {
			if !c.Decoupled {
				x += c.WeightDecay * w[i]
			}
			r += d / c.D0 * step * x * (start[i] - w[i])
			m[i] = c.Beta1*m[i] + (1-c.Beta1)*d*x
			v[i] = c.Beta2*v[i] + (1-c.Beta2)*d*d*x*x
			if c.SafeguardWarmUp {
				s[i] = beta3*s[i] + d/c.D0*d*x
			} else {
				s[i] = beta3*s[i] + d/c.D0*step*x
			}
			l1 += math.Abs(s[i])
		}
		estimate := c.DCoef * r / l1
		if d == c.D0 {
			d = max(d, estimate)
		}
		most = max(most, estimate)
		if growth := c.GrowthRate; growth > 0 {
			d = min(most, d*growth)
		} else {
			d = most
		}
		for i := range w {
			if c.Decoupled {
				w[i] -= step * c.WeightDecay * w[i]
			}
			w[i] -= step * m[i] / (math.Sqrt(v[i]) + d*c.Eps)
		}
		return w
	}
}

// twinDAdaptAdam is Algorithm 5 of Defazio & Mishchenko.
func twinDAdaptAdam(c DAdaptAdamConfig) twin {
	d, r, beta := c.D0, 0.0, math.Sqrt(c.Beta2)
	var m, v, s []float64
	return func(t int, rate float64, w, g []float64, _ []int) []float64 {
		n := len(w)
		if t == 1 {
			m, v, s = make([]float64, n), make([]float64, n), make([]float64, n)
		}
		step := d * rate * biasOf(c.BiasCorrection, c.Beta1, c.Beta2, t)
		inner, l1 := 0.0, 0.0
		next := append([]float64(nil), w...)
		for i, x := range g {
			if !c.Decoupled {
				x += c.WeightDecay * w[i]
			}
			m[i] = c.Beta1*m[i] + (1-c.Beta1)*step*x
			v[i] = c.Beta2*v[i] + (1-c.Beta2)*x*x
			a := math.Sqrt(v[i]) + c.Eps
			inner += step * x * s[i] / a
			s[i] = beta*s[i] + (1-beta)*step*x
			l1 += math.Abs(s[i])
			if c.Decoupled {
				next[i] -= step * c.WeightDecay * w[i]
			}
			next[i] -= m[i] / a
		}
		copy(w, next)
		r = beta*r + (1-beta)*inner
		estimate := r / ((1 - beta) * l1)
		if c.GrowthRate > 0 {
			estimate = min(estimate, d*c.GrowthRate)
		}
		d = max(d, estimate)
		return w
	}
}

// twinScheduleFree has the three sequences of Defazio et al. one by one.
func twinScheduleFree(c ScheduleFreeConfig) twin {
	var x, z, v []float64
	highest, total := 0.0, 0.0
	return func(t int, rate float64, w, g []float64, _ []int) []float64 {
		if t == 1 {
			x, z, v = append([]float64(nil), w...), append([]float64(nil), w...), make([]float64, len(w))
		}
		gamma := rate
		if c.WarmUp > 0 {
			gamma *= min(1, float64(t)/float64(c.WarmUp))
		}
		if c.Adaptive {
			gamma *= math.Sqrt(1 - math.Pow(c.Beta2, float64(t)))
		}
		highest = max(highest, gamma)
		weight := math.Pow(float64(t), c.R) * math.Pow(highest, c.WeightPower)
		total += weight
		for i, u := range g {
			if c.Adaptive {
				v[i] = c.Beta2*v[i] + (1-c.Beta2)*u*u
				u /= math.Sqrt(v[i]) + c.Eps
			}
			z[i] -= gamma * (u + c.WeightDecay*w[i])
			x[i] = (1-weight/total)*x[i] + weight/total*z[i]
			w[i] = (1-c.Beta)*z[i] + c.Beta*x[i]
		}
		return x
	}
}

func twinNAdamW(c NAdamWConfig) twin {
	var m, v []float64
	mu := func(t int) float64 { return c.momentum(t) }
	product := 1.0
	return func(t int, rate float64, w, g []float64, _ []int) []float64 {
		if t == 1 {
			m, v = make([]float64, len(w)), make([]float64, len(w))
		}
		product *= mu(t)
		for i, x := range g {
			w[i] *= 1 - rate*c.WeightDecay
			m[i] = c.Beta1*m[i] + (1-c.Beta1)*x
			v[i] = c.Beta2*v[i] + (1-c.Beta2)*x*x
			below := math.Sqrt(v[i]/(1-math.Pow(c.Beta2, float64(t)))) + c.Eps
			w[i] -= rate * (1 - mu(t)) / (1 - product) * x / below
			w[i] -= rate * mu(t+1) / (1 - product*mu(t+1)) * m[i] / below
		}
		return w
	}
}

// twinMechanic is Algorithm 1 of Cutkosky et al. around SGD, with what the authors'
// program begins with.
func twinMechanic(c MechanicConfig) twin {
	n := len(c.Betas)
	s, m, v, r := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range m {
		m[i] = 1e-6
	}
	var start, delta []float64
	return func(t int, rate float64, w, g []float64, _ []int) []float64 {
		if t == 1 {
			start, delta = append([]float64(nil), w...), make([]float64, len(w))
		}
		total, h := 0.0, 0.0
		for _, x := range s {
			total += x
		}
		decay := c.Lambda * total * math.Sqrt(normSq(g)) / (math.Sqrt(normSq(w)) + c.Eps)
		for i, x := range g {
			h += delta[i] * (x + decay*w[i])
		}
		total = 0
		for i, beta := range c.Betas {
			m[i] = max(beta*m[i], math.Abs(h))
			v[i] = beta*beta*v[i] + h*h
			r[i] = max(0, beta*r[i]-s[i]*h)
			s[i] = (c.SInit/float64(n)*m[i] + r[i]) / (math.Sqrt(v[i]) + c.Eps)
			total += s[i]
		}
		for i, x := range g {
			delta[i] -= rate * x
			w[i] = start[i] + total*delta[i]
		}
		return w
	}
}

// rival is a rule with its twin.
type rival struct {
	o    Optimizer
	twin func() twin
}

// rivals are rules with settings that exercise each of their equations.
func rivals() map[string]rival {
	all := map[string]rival{}
	add := func(name string, o Optimizer, twin func() twin) { all[name] = rival{o, twin} }
	for name, change := range map[string]func(n *NAdamWConfig, s *SGDHDConfig, a *AdamHDConfig, d *DoGConfig, p *ProdigyConfig, q *DAdaptAdamConfig, f, g *ScheduleFreeConfig){
		"": func(*NAdamWConfig, *SGDHDConfig, *AdamHDConfig, *DoGConfig, *ProdigyConfig, *DAdaptAdamConfig, *ScheduleFreeConfig, *ScheduleFreeConfig) {
		},
		", settings": func(n *NAdamWConfig, s *SGDHDConfig, a *AdamHDConfig, d *DoGConfig, p *ProdigyConfig, q *DAdaptAdamConfig, f, g *ScheduleFreeConfig) {
			n.MomentumDecay, n.Beta1, n.WeightDecay = 0, 0.8, 0.1
			s.WeightDecay, a.WeightDecay, d.WeightDecay = 0.1, 0.1, 0.1
			s.HyperLR, a.HyperLR, a.Beta1, a.Beta2 = 1e-5, 1e-5, 0.8, 0.95
			d.Layerwise, d.RelDist = true, 1e-3
			p.WeightDecay, p.BiasCorrection, p.SafeguardWarmUp, p.D0, p.GrowthRate, p.DCoef, p.Beta3 = 0.1, true, true, 1e-3, 1.02, 2, 0.9
			q.WeightDecay, q.Decoupled, q.BiasCorrection, q.D0, q.GrowthRate = 0.1, true, true, 1e-3, 1.02
			f.WarmUp, f.R, f.WeightPower, f.WeightDecay = 4, 1, 1, 0.1
			g.WarmUp, g.Beta, g.Beta2, g.WeightDecay = 7, 0.8, 0.9, 0.1
		},
		", coupled decay": func(_ *NAdamWConfig, s *SGDHDConfig, _ *AdamHDConfig, d *DoGConfig, p *ProdigyConfig, q *DAdaptAdamConfig, f, g *ScheduleFreeConfig) {
			s.HyperLR, d.Layerwise = 1e-4, true
			p.WeightDecay, p.Decoupled, p.D0, q.WeightDecay, q.D0 = 0.1, false, 1e-2, 0.1, 1e-2
			f.Beta, g.R = 0.5, 2
		},
	} {
		around := Mechanic(SGD(0.1))
		around.SInit = map[bool]float64{true: 1e-8, false: 1e-3}[name == ""]
		add("mechanic"+name, around, func() twin { return twinMechanic(*around) })
		n, s, a, d := NAdamW(0.01), SGDHD(0.01), AdamHD(0.01), DoG(1)
		p, q, f, g := Prodigy(1), DAdaptAdam(1), ScheduleFreeSGD(0.1), ScheduleFreeAdamW(0.02)
		change(n, s, a, d, p, q, f, g)
		add("nadamw"+name, n, func() twin { return twinNAdamW(*n) })
		add("sgd-hd"+name, s, func() twin { return twinSGDHD(*s) })
		add("adam-hd"+name, a, func() twin { return twinAdamHD(*a) })
		add("dog"+name, d, func() twin { return twinDoG(*d) })
		add("prodigy"+name, p, func() twin { return twinProdigy(*p) })
		add("dadapt-adam"+name, q, func() twin { return twinDAdaptAdam(*q) })
		add("schedule-free-sgd"+name, f, func() twin { return twinScheduleFree(*f) })
		add("schedule-free-adamw"+name, g, func() twin { return twinScheduleFree(*g) })
	}
	none := func() float64 { return 0 }
	for name, h := range map[string]HDMHBConfig{
		"hdm-hb":         *HDMHB(0.01),
		"hdm-hb, scalar": {LR: 0.01, MomentumLR: 0.1, Momentum: 0.9, MaxMomentum: 0.95, Initial: 0.02, Scalar: true, Omega: 0.1, Tau: 1, WeightDecay: 0.1},
	} {
		add(name, &h, func() twin { return twinHDMHB(h, none) })
	}
	return all
}

// driven is a rule on weights of its own, driven as an update of learning rates drives it.
type driven struct {
	params  []*graph.Param
	r       Rule
	descent array.Descent
	t       int
	loss    float64 // of the next step
}

func drive(t *testing.T, o Optimizer, weights []*tensor.Dense) *driven {
	t.Helper()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	d := &driven{}
	d.params, d.r = startRule(t, o, weights)
	var err error
	if d.descent, err = array.NewDescent(weights[0].Dtype()); err != nil {
		t.Fatal(err)
	}
	return d
}

// step takes one at a rate times a schedule's factor.
func (d *driven) step(t *testing.T, g []*tensor.Dense, rate, scale float64) {
	t.Helper()
	d.t++
	rates, scaled := make([]float64, len(g)), make([]float64, len(g))
	for i := range rates {
		rates[i], scaled[i] = rate, rate*scale
	}
	in := Input{T: d.t, G: g, Loss: d.loss, Norm: math.Sqrt(array.SumSquares(g...)), Rates: rates, Scale: scale}
	if !d.r.StaysFinite(in, scaled) && !math.IsInf(d.r.Reach(), 1) { // which knows nothing of its steps
		t.Fatalf("step %d: it is not known that it stays finite", d.t)
	}
	before := make([][]float64, len(g))
	for i, p := range d.params {
		before[i] = numbersOf(p.Value)
	}
	if f := d.r.Fused(); f != nil {
		if err := f.Step(in, scaled); err != nil {
			t.Fatal(err)
		}
	} else {
		dir, err := d.r.Directions(in)
		if err != nil {
			t.Fatal(err)
		}
		d.descent.Move(d.params, dir, scaled)
	}
	reach, rounding := d.r.Reach(), 0x1p-52
	if g[0].Dtype() == tensor.Float32 {
		rounding = 0x1p-23
	}
	for i, p := range d.params {
		for j, x := range numbersOf(p.Value) {
			if moved := math.Abs(x - before[i][j]); moved > reach*(1+1e-6)+rounding*math.Abs(x) {
				t.Fatalf("step %d moves an element by %v, more than %v", d.t, moved, reach)
			}
		}
	}
	if it := d.r.Iterates(); it != nil {
		if err := it.Moved(in, scaled); err != nil {
			t.Fatal(err)
		}
	}
}

// evaluated are the weights that are evaluated, one after the other.
func (d *driven) evaluated() (all []float64) {
	x := array.ZerosLike(d.params)
	if it := d.r.Iterates(); it != nil {
		it.Evaluated(x)
	} else {
		for i, p := range d.params {
			array.Copy(x[i], p.Value)
		}
	}
	for _, a := range x {
		all = append(all, numbersOf(a)...)
	}
	return all
}

func numbersOf(a *tensor.Dense) (all []float64) {
	if a.Dtype() == tensor.Float64 {
		return append(all, a.Float64s()...)
	}
	for _, v := range a.Float32s() {
		all = append(all, float64(v))
	}
	return all
}

// TestRivalsEqualTwins compares weights and evaluation weights with those of the papers'
// equations, on parameters around the length of a chunk, at a rate that changes.
func TestRivalsEqualTwins(t *testing.T) {
	t.Parallel()
	steps := 12
	if raceEnabled {
		steps = 3
	}
	for name, c := range rivals() {
		t.Run(name+"/float64", func(t *testing.T) { equalsTwin[float64](t, c, steps, 1e-10) })
		t.Run(name+"/float32", func(t *testing.T) { equalsTwin[float32](t, c, steps, 2e-4) })
	}
}

func equalsTwin[T apoops.Float](t *testing.T, c rival, steps int, tolerance float64) {
	rng := rand.New(rand.NewPCG(3, 1))
	sizes, layers := []int{1, 7, 8192, 8193, 20001}, []int{0}
	draw := func() (all []*tensor.Dense, flat []float64) {
		for _, n := range sizes {
			x := make([]T, n)
			for i := range x {
				x[i] = T(rng.NormFloat64() / 10)
				flat = append(flat, float64(x[i]))
			}
			all = append(all, denseOf(x, n))
		}
		return all, flat
	}
	weights, flat := draw()
	for _, n := range sizes {
		layers = append(layers, layers[len(layers)-1]+n)
	}
	d, twin := drive(t, c.o, weights), c.twin()
	for step := 1; step <= steps; step++ {
		g, grad := draw()
		for i, a := range g { // gradients that agree from step to step have distances grow
			x, w := apoops.Elements[T](a), apoops.Elements[T](d.params[i].Value)
			for j := range x {
				x[j] += w[j]
				grad[layers[i]+j] += flat[layers[i]+j]
			}
		}
		scale := 1.0
		if _, constant := c.o.(*DAdaptAdamConfig); !constant {
			scale = 1 - 0.5*float64(step)/float64(steps)
		}
		d.step(t, g, c.o.LearningRate(), scale)
		want := twin(step, c.o.LearningRate()*scale, flat, grad, layers)
		got := d.evaluated()
		if far := math.Sqrt(normSq(minus(got, want)) / normSq(want)); !(far <= tolerance) {
			t.Fatalf("step %d: the weights that are evaluated are off by %.1e", step, far)
		}
		got = nil
		for _, p := range d.params {
			got = append(got, numbersOf(p.Value)...)
		}
		if far := math.Sqrt(normSq(minus(got, flat)) / normSq(flat)); !(far <= tolerance) {
			t.Fatalf("step %d: the weights are off by %.1e", step, far)
		}
	}
}

// problem is a function with its optimum, where it is 0.
type problem struct {
	optimum  []float64
	value    func(far []float64) float64 // of the distance from the optimum
	gradient func(far []float64) []float64
}

// problems are a quadratic function whose eigenvalues are 1 to 30, in directions that are
// not the axes, and Σ log cosh, whose gradients do not grow with the distance.
func problems() map[string]problem {
	const n = 12
	optimum := make([]float64, n)
	for i := range optimum {
		optimum[i] = math.Cos(float64(3 * i))
	}
	reflected := func(x []float64) []float64 { // by v = (1, …, 1)/√n
		mean := 0.0
		for _, v := range x {
			mean += v / n
		}
		y := make([]float64, n)
		for i, v := range x {
			y[i] = v - 2*mean
		}
		return y
	}
	eigenvalue := func(i int) float64 { return math.Pow(30, float64(i)/(n-1)) }
	return map[string]problem{
		"quadratic": {optimum, func(far []float64) (f float64) {
			for i, v := range reflected(far) {
				f += eigenvalue(i) * v * v / 2
			}
			return f
		}, func(far []float64) []float64 {
			y := reflected(far)
			for i := range y {
				y[i] *= eigenvalue(i)
			}
			return reflected(y)
		}},
		"log cosh": {optimum, func(far []float64) (f float64) {
			for _, v := range far {
				f += math.Log(math.Cosh(v))
			}
			return f
		}, func(far []float64) []float64 {
			y := make([]float64, n)
			for i, v := range far {
				y[i] = math.Tanh(v)
			}
			return y
		}},
	}
}

// TestRivalsFindOptimum has each rule come from 0 to the optimum of two problems. Those
// without a rate to choose have their authors' defaults; those that estimate Adam's have a
// schedule that ends at 0, as they advise.
func TestRivalsFindOptimum(t *testing.T) {
	sgd, adam := SGDHD(0.01), AdamHD(0.01)
	sgd.HyperLR, adam.HyperLR = 1e-5, 1e-5
	heavy := HDMHB(0.01)
	heavy.NullSteps = true
	muon := Muon(0.02)
	muon.AdamRate = 0.01
	for name, o := range map[string]Optimizer{
		"nadamw": &NAdamWConfig{LR: 0.02, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, MomentumDecay: 0.004}, "sgd-hd": sgd, "adam-hd": adam, "hdm-hb": heavy,
		"dog": DoG(1), "ldog": LDoG(1), "prodigy": Prodigy(1), "dadapt-adam": DAdaptAdam(1), "schedule-free-sgd": ScheduleFreeSGD(0.05), "schedule-free-adamw": ScheduleFreeAdamW(0.05),
		"muon": muon, "soap": SOAP(0.01), "psgd-kron": PSGDKron(0.003), "mechanic": Mechanic(SGD(0.02)), "mechanic-adamw": Mechanic(AdamW(0.01)),
	} {
		for what, p := range problems() {
			t.Run(name+"/"+what, func(t *testing.T) {
				n := len(p.optimum)
				d := drive(t, o, []*tensor.Dense{denseOf(make([]float64, n/2), n/2), denseOf(make([]float64, n-n/2), n-n/2)})
				at := func(x []float64) []float64 { return minus(x, p.optimum) }
				first := p.value(at(d.evaluated()))
				const steps = 3000
				for step := range steps {
					scale := 1.0
					switch o.(type) {
					case *ProdigyConfig, *DAdaptAdamConfig:
						scale = 1 - float64(step)/steps
					}
					var w []float64
					for _, q := range d.params {
						w = append(w, numbersOf(q.Value)...)
					}
					g := p.gradient(at(w))
					d.loss = p.value(at(w))
					d.step(t, []*tensor.Dense{denseOf(g[:n/2], n/2), denseOf(g[n/2:], n-n/2)}, o.LearningRate(), scale)
				}
				if last := p.value(at(d.evaluated())); !(last <= 1e-4*first) {
					t.Errorf("%v at first, %v in the end", first, last)
				}
			})
		}
	}
}
