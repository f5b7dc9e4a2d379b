package suite

// perStep is the mean time of a step in the long run from the times of the first
// ones, of which the first, which builds the graphs, does not count; 0 where there
// is no other. Where rare work was due every measured steps but usually is every
// usual ones (0: no such work), its time is that of its first step above the
// median, and has the share that it usually has.
func perStep(times []float64, measured, usual int) float64 {
	if len(times) < 2 {
		return 0
	}
	times = times[1:]
	sum := 0.0
	for _, t := range times {
		sum += t
	}
	if usual > 0 && measured > 0 && measured <= len(times) {
		work := max(0, times[measured-1]-Median(times))
		sum -= work * float64(len(times)/measured)
		sum += work * float64(len(times)) / float64(usual)
	}
	return sum / float64(len(times))
}
