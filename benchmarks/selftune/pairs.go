package selftune

import "math"

// significance is the p-value below which a difference counts.
const significance = 0.05

// pair compares an entry with another by the signed-rank test.
type pair struct {
	a, b entry
	// n is the number of differences that are not 0, of so many.
	n, of int
	p     float64 // before Holm's correction
	holm  float64
	// factor is the geometric mean of a's times over b's.
	factor  float64
	verdict verdict // of a against b
}

// verdict is one of three.
type verdict string

const (
	better       verdict = "better"
	worse        verdict = "worse"
	noDifference verdict = "no difference"
)

// pairsOf compares each entry of this project with every other entry, by one clock. Two
// entries of this project are one comparison for Holm's correction, and listed both ways.
func (r *results) pairsOf(by clock) (all []pair) {
	times := make([][]float64, len(r.entries))
	for i, e := range r.entries {
		times[i] = r.penalised(e, by)
	}
	var once []pair
	var p []float64
	var shorter []bool
	for k, b := range r.entries {
		for i, a := range r.entries[:k] {
			if !a.apo && !b.apo {
				continue
			}
			d, sum := make([]float64, len(times[i])), 0.0
			for j := range d {
				d[j] = times[i][j] - times[k][j]
				sum += d[j]
			}
			positive, negative, chance, n := SignedRank(d)
			once = append(once, pair{a: a, b: b, n: n, of: len(d), p: chance, factor: math.Exp(sum / float64(len(d)))})
			p, shorter = append(p, chance), append(shorter, negative > positive)
		}
	}
	for i, corrected := range Holm(p) {
		c := once[i]
		c.holm, c.verdict = corrected, decide(corrected, shorter[i])
		if c.a.apo {
			all = append(all, c)
		}
		if c.b.apo {
			all = append(all, c.mirrored())
		}
	}
	return all
}

// mirrored is the same comparison of b with a.
func (p pair) mirrored() pair {
	p.a, p.b, p.factor = p.b, p.a, 1/p.factor
	switch p.verdict {
	case better:
		p.verdict = worse
	case worse:
		p.verdict = better
	}
	return p
}

// decide is the verdict on times whose difference has the corrected p.
func decide(p float64, shorter bool) verdict {
	switch {
	case !(p < significance):
		return noDifference
	case shorter:
		return better
	}
	return worse
}
