package scaling

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// results are what is measured, the constants of the model, and its predictions.
type results struct {
	Environment suite.Environment `json:"environment"`
	Busy        string            `json:"busy,omitempty"` // that other programs ran
	Launcher    string            `json:"launcher"`
	Rounds      int               `json:"rounds"` // that are complete
	Sums        []sumTimes        `json:"sums"`
	Trials      []*trial          `json:"trials"`
	Failed      []string          `json:"failed,omitempty"`

	Shared      *Network     `json:"shared_memory,omitempty"` // measured here
	Works       []netWork    `json:"works"`
	Comparisons []comparison `json:"comparisons"`

	networks []Network // Shared and those of the flags
}

// netWork is the work of a net's steps by a rule.
type netWork struct {
	Net, Rule  string
	Parameters int
	Work

	net  net
	rule rule
}

// comparison is a prediction and the step that was measured.
type comparison struct {
	Net, Rule           string
	Batch, Processes    int
	Predicted, Measured float64 // in seconds; the least of those measured
}

func (r *results) addSums(all []sumTimes) {
	if r.Sums == nil {
		r.Sums = all
		return
	}
	for i, s := range all {
		r.Sums[i].Seconds = append(r.Sums[i].Seconds, s.Seconds...)
	}
}

// find is a trial that has steps, or nil.
func (r *results) find(net, rule string, batch int, side string) *trial {
	for _, t := range r.Trials {
		if t.Net == net && t.Rule == rule && t.Batch == batch && t.Side == side && len(t.Steps) > 0 {
			return t
		}
	}
	return nil
}

// largestFitted is the largest sum that latency and bandwidth are fitted to: those of a
// training are buckets, or a large layer's gradient. Larger ones do not fit into caches.
const largestFitted = 16 << 20

// complete finds the model's constants and compares its predictions.
func (r *results) complete(o *options) error {
	if len(r.Sums) > 0 {
		times := make(map[int]float64)
		for _, s := range r.Sums {
			if s.Bytes <= largestFitted {
				times[s.Bytes] = median(s.Seconds)
			}
		}
		n, err := networkOf("this machine", times)
		if err != nil {
			return err
		}
		r.Shared = &n
		r.networks = append(r.networks, n)
	}
	r.networks = append(r.networks, o.networks...)
	for _, n := range o.nets {
		for _, q := range o.rules {
			w, ok, err := r.work(n, q)
			if err != nil {
				return errors.WithMessagef(err, "%s, %s", n.name, q.name)
			}
			if ok {
				r.Works = append(r.Works, w)
				r.compare(w)
			}
		}
	}
	return nil
}

// work finds the constants of a net and a rule; ok is false where something failed.
func (r *results) work(n net, q rule) (w netWork, ok bool, err error) {
	w = netWork{Net: n.name, Rule: q.name, net: n, rule: q}
	w.Sums = make(map[int]Load)
	var x, y []float64
	for _, batch := range n.small {
		t := r.find(n.name, q.name, batch, oneCore)
		if t == nil {
			return w, false, nil
		}
		shared, divided := q.split(t.kinds(least, seconds))
		x, y = append(x, float64(batch)), append(y, shared)
		w.Divided, w.Largest, w.Parameters = divided, divided*t.Largest, t.Parameters // that of the larger batch
	}
	l, err := fit(x, y)
	if err != nil {
		return w, false, err
	}
	w.Fixed, w.Each = l.a, l.b
	for _, batch := range n.batches {
		t := r.find(n.name, q.name, batch, counted)
		if t == nil {
			return w, false, nil
		}
		w.Sums[batch], w.Shared = t.exchanged()
	}
	return w, true, nil
}

// split is the mean time of a step without, and that of, the work that may be divided.
func (q rule) split(kinds []float64) (shared, divided float64) {
	shared = kinds[0]
	for k, w := range q.rare {
		excess := max(0, kinds[k+1]-kinds[k]) / float64(w.usual)
		if w.divided {
			divided += excess
		} else {
			shared += excess
		}
	}
	return shared, divided
}

// compare compares the model with the steps that were measured.
func (r *results) compare(w netWork) {
	for _, batch := range w.net.batches {
		for i, side := range []string{oneCore, twoProcesses} {
			t, processes := r.find(w.Net, w.Rule, batch, side), 1+i
			if t == nil {
				continue
			}
			var here Network // one process needs none
			if r.Shared != nil {
				here = *r.Shared
			}
			r.Comparisons = append(r.Comparisons, comparison{w.Net, w.Rule, batch, processes, w.Predict(batch, processes, here).Total(), t.mean(least, seconds)})
		}
	}
}
