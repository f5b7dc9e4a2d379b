package report

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// accuracyTable compares the methods by test accuracy, beside the paper's.
func (s *section) accuracyTable() string {
	t := table{head: []string{"method", "seeds", "test accuracy at the end: median (smallest … largest)", "the paper's, " + s.paperLength(), "best epoch's",
		"test loss", "training loss", "seconds", "ms a step", "to SGDm's", "to KFAC's", "to the fixed rate's", "peak memory, MB"}}
	sgdm, kfac := s.find("sgdm"), s.find("kfac")
	for _, r := range s.series {
		t.add(r.label, fmt.Sprint(len(r.runs)), percents(r.accuracy())+r.divergence(), s.paperAccuracy(r.method.Name), r.bestEpochs(),
			number(r.testLoss().median), number(r.final().median), number(r.seconds()), number(1000*r.secondsPerStep()),
			ratio(r, sgdm), ratio(r, kfac), ratio(r, s.find(r.method.Base)), r.memory())
	}
	return t.String()
}

// extrapolation is the time of the paper's runs, extrapolated from a few steps.
func (s *section) extrapolation() string {
	paper := s.e.Scales[experiments.Paper]
	t := table{head: []string{"method", "runs", "ms a step", "to SGDm's", "to KFAC's", "to the fixed rate's", "peak memory, MB", "seconds of the first step",
		fmt.Sprintf("training loss before and after %d steps", s.config.Steps), "hours for the paper's " + s.paperLength(), "the paper's result"}}
	sgdm, kfac := s.find("sgdm"), s.find("kfac")
	for _, r := range s.series {
		run := r.runs[0]
		t.add(r.label, fmt.Sprint(len(r.runs)), number(1000*r.secondsPerStep())+r.divergence(), ratio(r, sgdm), ratio(r, kfac), ratio(r, s.find(r.method.Base)), r.memory(),
			number(suite.Median(r.each(func(run *suite.Run) float64 { return run.Done.FirstSeconds }))),
			number(float64(run.Evaluations[0].TrainLoss))+", "+number(run.FinalLoss()),
			number(r.secondsPerStep()*float64(paper.Steps)/3600), s.paperAccuracy(r.method.Name))
	}
	return t.String()
}

// paperLength is the length of the paper's runs. Settings with Evaluations have one
// evaluation for each epoch.
func (s *section) paperLength() string {
	c := s.e.Scales[experiments.Paper]
	if c.Evaluations == 0 {
		return fmt.Sprintf("%d steps", c.Steps)
	}
	return fmt.Sprintf("%d epochs", c.Evaluations)
}

func (s *section) paperAccuracy(method string) string {
	if a, ok := s.e.Accuracies[method]; ok {
		return fmt.Sprintf("%.2f%%", a)
	}
	if b, ok := s.e.Scores[method]; ok {
		return bleu(b)
	}
	return "-"
}

// besidePaper is a method's accuracy together with the paper's.
func (s *section) besidePaper(r *series) string {
	text := s.quality(r) + r.divergence()
	if p := s.paperAccuracy(r.method.Name); p != "-" {
		text += "; paper " + p
	}
	return text
}

// quality is the measure of a series on the test set.
func (s *section) quality(r *series) string {
	if s.e.Measure == experiments.BLEU {
		return r.score().bleu()
	}
	return percents(r.accuracy())
}

// bestEpochs is the median over the seeds of the best epoch's accuracy, with the best
// epoch of each seed.
func (r *series) bestEpochs() string {
	var top []float64
	var epochs []string
	for _, run := range r.runs {
		if e := best(run); e != nil {
			top, epochs = append(top, float64(*e.Accuracy)), append(epochs, fmt.Sprintf("%.3g", e.Epoch))
		}
	}
	if len(top) == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (epoch %s)", percent(suite.Median(top)), strings.Join(epochs, ", "))
}

func (r *series) seconds() float64 {
	return suite.Median(r.each(func(run *suite.Run) float64 { return run.Done.Seconds }))
}

func percents(s spread) string {
	if s.low == s.high {
		return percent(s.median)
	}
	return fmt.Sprintf("%s (%s … %s)", percent(s.median), percent(s.low), percent(s.high))
}

// epochs converts a number of steps to epochs.
func epochs(steps, perEpoch int) string {
	if steps == perEpoch {
		return "1 epoch"
	}
	return fmt.Sprintf("%.3g epochs", float64(steps)/float64(perEpoch))
}
