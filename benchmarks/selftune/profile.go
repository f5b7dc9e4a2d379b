package selftune

import (
	"math"
	"slices"
)

// Ratios are r_m,w of times t_m,w, a row for each method, a column for each workload. A
// target that is not reached has the time +Inf and the ratio +Inf, which is that of all
// methods where none reaches it.
func Ratios(times [][]float64) [][]float64 {
	ratios := make([][]float64, len(times))
	for m := range times {
		ratios[m] = make([]float64, len(times[m]))
		for w, t := range times[m] {
			best := t
			for k := range times {
				best = min(best, times[k][w])
			}
			ratios[m][w] = t / best
			if math.IsInf(t, 1) {
				ratios[m][w] = math.Inf(1)
			}
		}
	}
	return ratios
}

// Profile is ρ(τ): the share of workloads whose ratio is at most τ.
func Profile(ratios []float64, tau float64) float64 {
	n := 0
	for _, r := range ratios {
		if r <= tau {
			n++
		}
	}
	return float64(n) / float64(len(ratios))
}

// Area is the mean of Profile from τ = 1 to limit, which is above 1: 1 for a method that is
// the fastest everywhere, 0 for one that is never within the limit.
func Area(ratios []float64, limit float64) float64 {
	sum := 0.0
	for _, r := range ratios {
		sum += max(0, limit-r)
	}
	return sum / (limit - 1) / float64(len(ratios))
}

// steps are the corners of the graph of Profile from 1 to limit.
func steps(ratios []float64, limit float64) (tau, rho []float64) {
	at := slices.Clone(ratios)
	slices.Sort(at)
	tau, rho = []float64{1}, []float64{Profile(ratios, 1)}
	for _, r := range slices.Compact(at) {
		if r > 1 && r <= limit {
			tau = append(tau, r, r)
			rho = append(rho, rho[len(rho)-1], Profile(ratios, r))
		}
	}
	return append(tau, limit), append(rho, rho[len(rho)-1])
}
