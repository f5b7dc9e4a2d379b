package scaling

import (
	"encoding/json"
	"io"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/mpi"
	"github.com/apo-gorgonia/apo/benchmarks/peers"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// job is what the processes of a measurement do.
type job struct {
	Sums []int `json:"sums,omitempty"` // bytes of the sums to time, or

	Net   string `json:"net,omitempty"` // a training
	Rule  string `json:"rule,omitempty"`
	Batch int    `json:"batch,omitempty"`
	// Members are goroutines of one process that train together.
	Members int `json:"members,omitempty"`

	Cores   int     `json:"cores,omitempty"` // of each process, 0 for all
	Seconds float64 `json:"seconds"`         // about the time to measure for
}

// measurement is what the first process prints.
type measurement struct {
	Sums  []sumTimes `json:"sums,omitempty"`
	Steps []stepTime `json:"steps,omitempty"`
	// Largest is the largest part of decomposing all layers' factors that is one layer's.
	Largest float64 `json:"largest,omitempty"`
	// Parameters is the number of learned parameters.
	Parameters int `json:"parameters,omitempty"`
}

// sumTimes are the times of sums of so many bytes.
type sumTimes struct {
	Bytes   int       `json:"bytes"`
	Seconds []float64 `json:"s"`
}

// stepTime is a step: its kind, see rule, its time and what it exchanged.
type stepTime struct {
	Kind    int               `json:"kind"`
	Seconds float64           `json:"s"`
	Counts  collective.Counts `json:"counts,omitzero"`
}

// member carries out a job as one of the processes that were started for it.
func member(text string, stdout io.Writer) (err error) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return errors.Wrap(err, "-member")
	}
	if j.Cores > 0 {
		runtime.GOMAXPROCS(j.Cores)
	}
	world, err := mpi.Start()
	if err != nil {
		return err
	}
	m, err := j.measure(world)
	if err != nil {
		world.Abort(err)
		return err
	}
	if world.Rank() == 0 {
		if err := json.NewEncoder(stdout).Encode(m); err != nil {
			return errors.Wrap(err, "writing the measurement")
		}
	}
	return world.Close()
}

func (j job) measure(world collective.Communicator) (measurement, error) {
	if len(j.Sums) > 0 {
		return j.timeSums(world)
	}
	if j.Members < 2 {
		return j.train(world)
	}
	var wg sync.WaitGroup
	all, failed := make([]measurement, j.Members), make([]error, j.Members)
	for r, c := range collective.Local(j.Members) {
		wg.Go(func() {
			if all[r], failed[r] = j.train(c); failed[r] != nil {
				c.Abort(failed[r])
			}
		})
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil && !errors.Is(err, collective.ErrAborted) {
			return measurement{}, err
		}
	}
	return all[0], nil
}

// The bounds of how often something is measured.
const (
	leastSums, mostSums = 5, 500
	mostCycles          = 100
)

// times is how often to measure what takes so many seconds: the first member says.
func (j job) times(c collective.Communicator, seconds float64, least, most int) (int, error) {
	n := []float64{float64(min(most, max(least, int(math.Ceil(j.Seconds/max(seconds, 1e-9))))))}
	if c.Rank() != 0 {
		n[0] = 0
	}
	err := collective.Sum(c, n)
	return int(n[0]), err
}

// timeSums times sums of float32 of each size.
func (j job) timeSums(c collective.Communicator) (m measurement, err error) {
	for _, bytes := range j.Sums {
		x := make([]float32, bytes/4)
		for i := range x {
			x[i] = 1
		}
		one := func() (float64, error) {
			if err := c.Barrier(); err != nil {
				return 0, err
			}
			began := time.Now()
			err := collective.Sum(c, x)
			return time.Since(began).Seconds(), err
		}
		var s float64
		for range 3 { // pages are new to the library at first
			if s, err = one(); err != nil {
				return m, err
			}
		}
		n, err := j.times(c, s, leastSums, mostSums)
		if err != nil {
			return m, err
		}
		t := sumTimes{Bytes: bytes}
		for range n {
			if s, err = one(); err != nil {
				return m, err
			}
			t.Seconds = append(t.Seconds, s)
		}
		m.Sums = append(m.Sums, t)
	}
	return m, nil
}

// train takes steps: a cycle with each batch that builds graphs, one to see how long it takes,
// and as many as there is time for.
func (j job) train(world collective.Communicator) (m measurement, err error) {
	r, err := findRule(j.Rule)
	if err != nil {
		return m, err
	}
	task, err := peers.NewTask(j.Net, j.Batch)
	if err != nil {
		return m, err
	}
	comm := collective.Count(world)
	o, opts := r.make()
	tr, err := trainers.New(task.Model, task.Loss, o, append(opts, trainers.Parallel(comm))...)
	if err != nil {
		return m, err
	}
	step := func() (stepTime, error) {
		i, before, began := tr.Steps(), comm.Counts(), time.Now()
		stats, err := tr.Step(task.Batches[i/r.cycle()%len(task.Batches)])
		return stepTime{r.kind(i, stats.MetaTime > 0), time.Since(began).Seconds(), comm.Counts().Minus(before)}, err
	}
	cycle := 0.0
	for i := range (len(task.Batches) + 1) * r.cycle() {
		t, err := step()
		if err != nil {
			return m, err
		}
		if i >= len(task.Batches)*r.cycle() {
			cycle += t.Seconds
		}
	}
	cycles, err := j.times(world, cycle, 1, mostCycles)
	if err != nil {
		return m, err
	}
	for range cycles * r.cycle() * len(task.Batches) {
		t, err := step()
		if err != nil {
			return m, err
		}
		m.Steps = append(m.Steps, t)
	}
	m.describe(tr.Params())
	return m, nil
}

// describe counts parameters, and finds the largest share of KFAC's work that is one layer's.
func (m *measurement) describe(params []*graph.Param) {
	all, largest := 0.0, 0.0
	for _, p := range graph.Learned(params) {
		m.Parameters += p.Value.DataSize()
		if p.Matrix {
			cost := math.Pow(float64(p.Value.Shape()[0]), 3) + math.Pow(float64(p.Value.Shape()[1]), 3)
			all, largest = all+cost, max(largest, cost)
		}
	}
	if all > 0 {
		m.Largest = largest / all
	}
}
