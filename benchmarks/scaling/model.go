package scaling

import "math"

// Work is what a training step consists of, as a mean over a long run. Times are in seconds
// on one core.
type Work struct {
	Fixed   float64 `json:"fixed_s"` // of each process, whatever its part of a batch
	Each    float64 `json:"each_s"`  // of an example, or a token
	Divided float64 `json:"divided_s"`
	// Largest is the largest piece of Divided, the work of one layer.
	Largest float64 `json:"largest_s"`
	// Sums have the bytes of the arrays that are summed up, for each size of batches.
	Sums map[int]Load `json:"sums"`
	// Shared are results of divided work that one process sends to all others. Without
	// any, Divided is done by all.
	Shared Load `json:"shared"`
}

// Load is what is exchanged in a step, as a mean over a long run.
type Load struct {
	Bytes float64 `json:"bytes"`
	Calls float64 `json:"calls"` // that the program makes; sums of one bucket are one
}

// bucket is how many bytes of gradients are summed up at once.
const bucket = 1 << 20

// Network joins the processes.
type Network struct {
	Name      string  `json:"name"`
	Latency   float64 `json:"latency_s"`
	Bandwidth float64 `json:"bandwidth_bytes_per_s"`
}

// sum is the time of the all-reduce of so many bytes in so many buckets by a ring of n
// processes (Patarasuk & Yuan 2009).
func (w Network) sum(n, bytes, buckets float64) float64 {
	return 2*(n-1)/n*bytes/w.Bandwidth + 2*(n-1)*buckets*w.Latency
}

// broadcast is the time in which each of n processes sends its share of so many bytes to
// the others, in so many calls along binomial trees.
func (w Network) broadcast(n float64, l Load) float64 {
	return (n-1)/n*l.Bytes/w.Bandwidth + l.Calls*math.Ceil(math.Log2(n))*w.Latency
}

// Step is the predicted time of a step in seconds, by its parts.
type Step struct {
	Compute, SecondOrder, Transfer float64
}

// Total is the time of the step.
func (s Step) Total() float64 { return s.Compute + s.SecondOrder + s.Transfer }

// Predict is a step by n processes of one core each on a batch of the given size.
func (w Work) Predict(batch, n int, net Network) Step {
	s := Step{Compute: w.Fixed + w.Each*math.Ceil(float64(batch)/float64(n)), SecondOrder: w.Divided}
	if n == 1 {
		return s
	}
	if w.Shared.Bytes > 0 {
		s.SecondOrder = max(w.Divided/float64(n), w.Largest)
		s.Transfer = net.broadcast(float64(n), w.Shared)
	}
	sums := w.sums(batch)
	s.Transfer += net.sum(float64(n), sums.Bytes, sums.buckets())
	return s
}

// buckets are one for each MiB, or what the program makes of them where that is known and
// less: it does not cut a large gradient.
func (l Load) buckets() float64 {
	b := math.Ceil(l.Bytes / bucket)
	if l.Calls > 0 {
		b = min(b, l.Calls)
	}
	return b
}

// sums are those of a batch of the size next to the given one, for they depend on the batch
// only where gradients are exchanged as rows.
func (w Work) sums(batch int) (sums Load) {
	best := math.Inf(1)
	for size, l := range w.Sums {
		if d := math.Abs(math.Log(float64(size) / float64(batch))); d < best || d == best && l.Bytes > sums.Bytes {
			sums, best = l, d
		}
	}
	return sums
}
