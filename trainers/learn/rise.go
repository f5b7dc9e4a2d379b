package learn

import "math"

// Watcher is a Learner that wants the loss of each step that was taken.
type Watcher interface {
	Learner
	Watch(loss float64)
}

// Watch gives the loss of a step to a learner that wants it.
func Watch(l Learner, loss float64) {
	if w, ok := l.(Watcher); ok {
		w.Watch(loss)
	}
}

// risingLoss watches the loss for a rise, by means over windows of steps. Its numbers are those
// below, for checkpoints.
type risingLoss []float64

const (
	windowCount   = iota // losses of the window so far
	windowMean           // their mean
	windowSquares        // Σ (J - mean)²
	windowsSeen          // whole ones, since it began to watch, or began again
	lossError            // a running average of the squared standard errors of their means
	lossFirst            // the first mean of all
	lossLowest           // the lowest one
	rateAtLowest         // the rate at its end
	risenInRow           // means in a row that have risen
	warmUpEnded          // the step of the last rise, where a warm-up ends; 0 for none
	numbersOfRise        // how many there are
)

// leastWindow is the least number of steps of a window. So many means in a row must have risen,
// by riseErrors standard errors: that leaves out short peaks, and chance.
const (
	leastWindow = 10
	riseErrors  = 4
	riseInRow   = 2
)

// add takes the loss of a step.
func (w risingLoss) add(loss float64) {
	w[windowCount]++
	d := loss - w[windowMean]
	w[windowMean] += d / w[windowCount]
	w[windowSquares] += d * (loss - w[windowMean])
}

// seen ends the window, if it is long enough, at a step of the given rate, and reports whether
// means in a row have risen: by more than the part of what they had fallen, and by more than
// chance.
func (w risingLoss) seen(rate, part, decay float64) bool {
	n, mean := w[windowCount], w[windowMean]
	if n < leastWindow {
		return false
	}
	squared := w[windowSquares] / (n * (n - 1)) // that of the mean's standard error
	clear(w[:windowsSeen])
	if w[windowsSeen]++; w[windowsSeen] == 1 {
		w[lossError] = squared
		if w[rateAtLowest] == 0 {
			w[lossFirst], w[lossLowest], w[rateAtLowest] = mean, mean, rate
		}
		return false
	}
	w[lossError] += (1 - decay) * (squared - w[lossError])
	if mean < w[lossLowest] {
		w[lossLowest], w[rateAtLowest] = mean, rate
	}
	if mean-w[lossLowest] > max(part*(w[lossFirst]-w[lossLowest]), riseErrors*math.Sqrt(w[lossError])) {
		w[risenInRow]++
	} else { // also where the squares overflow
		w[risenInRow] = 0
	}
	return w[risenInRow] == riseInRow
}

// again has it watch again, after a rise that was seen at a step and has led to a rate.
func (w risingLoss) again(step int, rate float64) {
	clear(w[:lossError])
	w[warmUpEnded], w[rateAtLowest], w[risenInRow] = float64(step), rate, 0
}

// Watch implements Watcher.
func (l *calibratedLearner) Watch(loss float64) {
	if l.watches() {
		l.rise.add(loss)
	}
}

// fallBack lowers b where the loss rises.
func (l *calibratedLearner) fallBack(step int) {
	if !l.watches() || float64(step) >= l.watched() {
		return
	}
	if last := int(l.rise[warmUpEnded]); last > 0 && step <= last+settling*l.x.Settings.K {
		clear(l.rise[:windowsSeen])
		return
	}
	b := l.rate()
	rate := b * l.warmth(step)
	if !l.rise.seen(rate, l.c.Rise, l.c.Decay) {
		return
	}
	l.setRate(min(rate, l.rise[rateAtLowest]) / 2)
	l.calibrated[0] = math.Float64bits(b / 2)
	l.rise.again(step, l.rate())
	clear(l.averages)
}

// watches tells whether the loss is watched. Runs that older versions began are without.
func (l *calibratedLearner) watches() bool { return l.x.Settings.WatchLoss && l.c.Rise < 1 }

// watched is the number of steps in which the loss is watched.
func (l *calibratedLearner) watched() float64 {
	if l.c.Horizon > 0 {
		return float64(l.c.Horizon) / 2
	}
	return 2 * l.c.Growth
}
