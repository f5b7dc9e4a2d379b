package peers

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// settings are what both sides need to know besides the net.
type settings struct{ batch, steps, warmup int }

// arguments are the settings as flags that begin with dash.
func (s settings) arguments(dash string) []string {
	return []string{
		dash + "batch", strconv.Itoa(s.batch),
		dash + "steps", strconv.Itoa(s.steps),
		dash + "warmup", strconv.Itoa(s.warmup),
	}
}

type options struct {
	only    string
	batch   int
	size    size // -1: the contest's own
	threads string
	python  string
	out     string
	ours    string
	profile string
}

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet(Name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.only, "only", "", "contests, separated by commas, of "+names()+" (default: all)")
	f.IntVar(&o.batch, "batch", 128, "examples in a batch")
	f.IntVar(&o.size.rounds, "rounds", -1, "how often each side runs (-1: the contest's own number)")
	f.IntVar(&o.size.steps, "steps", -1, "timed steps in a round (-1: the contest's own number)")
	f.IntVar(&o.size.warmup, "warmup", -1, "steps before them (-1: the contest's own number)")
	f.StringVar(&o.threads, "threads", strconv.Itoa(runtime.NumCPU()), "numbers of threads that PyTorch runs on, one side for each; 0 leaves it to PyTorch")
	f.StringVar(&o.python, "python", "", "the Python that has PyTorch (default: the first found of "+strings.Join(pythons, ", ")+")")
	f.StringVar(&o.out, "out", "", "file to add the measurements to, a line of JSON for each process")
	f.StringVar(&o.ours, "ours", "", "measure this library alone on the named net, in this process, and print JSON")
	f.StringVar(&o.profile, "cpuprofile", "", "with -ours: file for a CPU profile of the timed steps")
	return f
}

// The largest values of the flags: a batch of images has 800 MB then.
const (
	maxBatch   = 1 << 16
	maxSteps   = 1_000_000
	maxThreads = 1024
)

func (o *options) check() error {
	for _, n := range []struct {
		flag               string
		value, least, most int
	}{{"batch", o.batch, 1, maxBatch}, {"rounds", o.size.rounds, 1, maxSteps}, {"steps", o.size.steps, 1, maxSteps}, {"warmup", o.size.warmup, 0, maxSteps}} {
		if own := n.value == -1 && n.flag != "batch"; !own && (n.value < n.least || n.value > n.most) {
			return errors.Errorf("-%s %d must be from %d to %d", n.flag, n.value, n.least, n.most)
		}
	}
	for flag, path := range map[string]string{"out": o.out, "cpuprofile": o.profile} {
		if err := creatable(path); err != nil { // before minutes of measuring
			return errors.Wrapf(err, "-%s", flag)
		}
	}
	if o.profile != "" && o.ours == "" {
		return errors.New("-cpuprofile needs -ours")
	}
	if o.ours != "" {
		_, err := find(o.ours)
		return errors.WithMessage(err, "-ours")
	}
	if _, err := o.contests(); err != nil {
		return errors.WithMessage(err, "-only")
	}
	_, err := o.threadCounts()
	return err
}

// creatable reports a path at which no file can be: that of a folder, or in one that
// does not exist. An empty path is none.
func creatable(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return errors.Errorf("%s is a folder", path)
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = errors.Errorf("%s is not a folder", folder)
	}
	return err
}

// contests are those asked for, in their usual order, in the sizes asked for.
func (o *options) contests() ([]contest, error) {
	chosen := make(map[string]bool)
	if o.only != "" {
		for net := range strings.SplitSeq(o.only, ",") {
			c, err := find(strings.TrimSpace(net))
			if err != nil {
				return nil, err
			}
			chosen[c.net] = true
		}
	}
	var all []contest
	for _, c := range contests {
		if len(chosen) == 0 || chosen[c.net] {
			c.size = o.size.or(c.size)
			all = append(all, c)
		}
	}
	return all, nil
}

// or replaces what is -1 in s.
func (s size) or(other size) size {
	if s.rounds == -1 {
		s.rounds = other.rounds
	}
	if s.steps == -1 {
		s.steps = other.steps
	}
	if s.warmup == -1 {
		s.warmup = other.warmup
	}
	return s
}

func (o *options) threadCounts() ([]int, error) {
	var counts []int
	for word := range strings.SplitSeq(o.threads, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 0 || n > maxThreads {
			return nil, errors.Errorf("-threads %q: numbers from 0 to %d, separated by commas, are needed", o.threads, maxThreads)
		}
		counts = append(counts, n)
	}
	return counts, nil
}
