package scaling

import (
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

type options struct {
	only, ruleList, compareList string
	rounds                      int
	seconds, largest            float64
	bandwidths, latencies       string
	mpirun                      string
	out                         string
	member, from                string

	nets            []net
	rules, compared []rule
	networks        []Network // of the flags
}

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet(Name, flag.ContinueOnError)
	f.StringVar(&o.only, "only", netNames(), "nets to measure, separated by commas")
	f.StringVar(&o.ruleList, "rules", ruleNames(), "rules to predict steps of, separated by commas")
	f.StringVar(&o.compareList, "compare", "sgdm", "rules whose predictions are compared with steps of two processes")
	f.IntVar(&o.rounds, "rounds", 3, "number of rounds")
	f.Float64Var(&o.seconds, "seconds", 1, "about the time of each measurement in a round; one cycle of steps is the least")
	f.Float64Var(&o.largest, "largest", 100, "largest sum between two processes to time, in MB")
	f.StringVar(&o.bandwidths, "bandwidth", "10,100", "bandwidths of networks to predict for, in Gbit/s, separated by commas")
	f.StringVar(&o.latencies, "latency", "30,10", "their latencies in µs")
	f.StringVar(&o.mpirun, "mpirun", "", "command that starts processes, with its arguments (default mpirun, with what Open MPI needs for two processes on any machine)")
	f.StringVar(&o.from, "from", "", "measurements.json of another run to predict from; nothing is measured then")
	f.StringVar(&o.out, "out", "results-scaling", "folder for tables, pictures and measurements")
	f.StringVar(&o.member, "member", "", "measure a job, given as JSON, in this process; for the processes that this program starts")
	return f
}

// The bounds of the flags.
const (
	maxRounds  = 1000
	maxSeconds = 3600
	leastSum   = 0.01 // MB
	mostSum    = 4000
)

// check checks the flags and decodes those that are lists.
func (o *options) check() (err error) {
	if o.rounds < 1 || o.rounds > maxRounds {
		return errors.Errorf("-rounds %d must be from 1 to %d", o.rounds, maxRounds)
	}
	if !(o.seconds > 0 && o.seconds <= maxSeconds) {
		return errors.Errorf("-seconds %v must be above 0 and at most %d", o.seconds, maxSeconds)
	}
	if !(o.largest >= leastSum && o.largest <= mostSum) {
		return errors.Errorf("-largest %v must be from %v to %d", o.largest, leastSum, mostSum)
	}
	if o.nets, err = chosen(o.only, nets, func(n net) string { return n.name }, findNet); err != nil {
		return errors.WithMessage(err, "-only")
	}
	name := func(r rule) string { return r.name }
	if o.rules, err = chosen(o.ruleList, rules, name, findRule); err != nil {
		return errors.WithMessage(err, "-rules")
	}
	if o.compared, err = chosen(o.compareList, rules, name, findRule); err != nil {
		return errors.WithMessage(err, "-compare")
	}
	for _, r := range o.compared {
		if !slices.ContainsFunc(o.rules, func(q rule) bool { return q.name == r.name }) {
			return errors.Errorf("-compare: %s is not among -rules", r.name)
		}
	}
	if o.out == "" {
		return errors.New("-out must not be empty")
	}
	if info, err := os.Stat(o.out); err == nil && !info.IsDir() {
		return errors.Errorf("-out: %s is not a folder", o.out)
	}
	return o.checkNetworks()
}

// chosen are the named elements of all, in their order there.
func chosen[T any](list string, all []T, name func(T) string, find func(string) (T, error)) ([]T, error) {
	var names []string
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		if _, err := find(word); err != nil {
			return nil, err
		}
		names = append(names, word)
	}
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return !slices.Contains(names, name(x)) }), nil
}

func (o *options) checkNetworks() error {
	bandwidths, err := numbers(o.bandwidths)
	if err != nil {
		return errors.WithMessage(err, "-bandwidth")
	}
	latencies, err := numbers(o.latencies)
	if err != nil {
		return errors.WithMessage(err, "-latency")
	}
	if len(bandwidths) != len(latencies) {
		return errors.Errorf("-bandwidth has %d numbers, -latency %d", len(bandwidths), len(latencies))
	}
	for i, b := range bandwidths {
		name := strconv.FormatFloat(b, 'g', -1, 64) + " Gbit/s"
		if slices.ContainsFunc(o.networks, func(n Network) bool { return n.Name == name }) {
			return errors.Errorf("-bandwidth has %v twice", b)
		}
		o.networks = append(o.networks, Network{name, latencies[i] * 1e-6, b * 1e9 / 8})
	}
	return nil
}

func numbers(list string) (all []float64, err error) {
	for word := range strings.SplitSeq(list, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || !(v > 0 && v < 1e9) {
			return nil, errors.Errorf("%q: numbers above 0, separated by commas, are needed", list)
		}
		all = append(all, v)
	}
	return all, nil
}
