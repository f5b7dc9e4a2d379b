package scaling

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/collective"
)

// The sides whose steps are compared.
const (
	allCores     = "all cores"
	oneCore      = "one core"
	twoProcesses = "two processes"
	counted      = "counted" // two members in one process, for what they exchange
)

// sides are in the order in which they take turns.
var sides = []string{allCores, oneCore, twoProcesses}

// trial is a training that is measured, with its steps of all rounds.
type trial struct {
	Net, Rule, Side   string
	Batch, Parameters int
	Largest           float64
	Steps             []stepTime
}

func (t *trial) String() string {
	return fmt.Sprintf("%s, %s, batch %d, %s", t.Net, t.Rule, t.Batch, t.Side)
}

// job is what measures it, and by how many processes.
func (t *trial) job(seconds float64) (j job, processes int) {
	j, processes = job{Net: t.Net, Rule: t.Rule, Batch: t.Batch, Seconds: seconds}, 1
	switch t.Side {
	case oneCore:
		j.Cores = 1
	case twoProcesses:
		j.Cores, processes = 1, 2
	case counted:
		j.Members, j.Seconds = 2, 0
	}
	return j, processes
}

// kinds are one number for the steps of each kind.
func (t *trial) kinds(of func([]float64) float64, value func(stepTime) float64) []float64 {
	r, err := findRule(t.Rule)
	if err != nil {
		return nil
	}
	by := make([][]float64, 1+len(r.rare))
	for _, s := range t.Steps {
		by[s.Kind] = append(by[s.Kind], value(s))
	}
	all := make([]float64, len(by))
	for k, x := range by {
		all[k] = of(x)
	}
	return all
}

// mean is of over the steps of each kind, and from that the mean of a long run.
func (t *trial) mean(of func([]float64) float64, value func(stepTime) float64) float64 {
	r, err := findRule(t.Rule)
	if err != nil {
		return 0
	}
	return r.mean(t.kinds(of, value))
}

func seconds(s stepTime) float64 { return s.Seconds }

// count is a value of stepTime from its counts.
func count(of func(collective.Counts) int64) func(stepTime) float64 {
	return func(s stepTime) float64 { return float64(of(s.Counts)) }
}

// exchanged are the sums and the broadcasts of a step.
func (t *trial) exchanged() (sums, shared Load) {
	mean := func(of func(collective.Counts) int64) float64 { return t.mean(median, count(of)) }
	sums.Bytes = mean(func(c collective.Counts) int64 { return c.SumBytes })
	sums.Calls = mean(func(c collective.Counts) int64 { return c.Sums })
	shared.Bytes = mean(func(c collective.Counts) int64 { return c.BroadcastBytes })
	shared.Calls = mean(func(c collective.Counts) int64 { return c.Broadcasts })
	return sums, shared
}

// waited is the median time in seconds that a step waits for other members.
func (t *trial) waited() float64 {
	return t.mean(median, func(s stepTime) float64 { return s.Counts.Waited.Seconds() })
}
