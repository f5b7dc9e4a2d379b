package suite

// perStep estimates the mean time of a step in a long run of a job from the times of the
// first steps. learned says which of these had a meta-step, rare is methods.Method.Rare.
func (j Job) perStep(times []float64, learned []bool, rare string) float64 {
	if j.MetaSteps > 0 {
		if mean, ok := learningPerStep(times, learned, j.MetaSteps); ok {
			return mean
		}
	}
	return perStep(times, int(j.Values[rare]), j.RarePeriod)
}

// learningPerStep estimates the mean time of a step in a run of longRun steps, of which
// metaSteps have a meta-step, from the times of the first steps. learned says which of
// these had one. The very first step, which builds the graphs, does not count. Without
// both kinds of steps ok is false.
func learningPerStep(times []float64, learned []bool, metaSteps int) (mean float64, ok bool) {
	var sum, n [2]float64
	for i := 1; i < len(times); i++ {
		kind := 0
		if learned[i] {
			kind = 1
		}
		sum[kind] += times[i]
		n[kind]++
	}
	if n[0] == 0 || n[1] == 0 {
		return 0, false
	}
	without, with := sum[0]/n[0], sum[1]/n[1]
	return without + (with-without)*float64(metaSteps)/longRun, true
}

// perStep estimates the mean time of a step in a long run from the times of the first
// steps. The very first step, which builds the graphs, does not count; without others
// the result is 0. If rare work with the usual period usual (0: none) was measured
// with the period measured, its time, the excess of its first step over the median,
// is counted once in usual steps.
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
