package peers

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// settings are the settings of a measurement besides the net. batch counts images, tokens
// those of a batch of text; low is for training in bfloat16, rule the update rule of nets
// for images.
type settings struct {
	batch, tokens, steps, warmup int
	low                          bool
	rule                         string // "" is bySGDm
}

const (
	bySGDm = "sgdm"
	byAdam = "adam"
)

// arguments returns the settings of nets for images as command-line flags with the
// prefix dash.
func (s settings) arguments(dash string) []string {
	return []string{
		dash + "batch", strconv.Itoa(s.batch),
		dash + "steps", strconv.Itoa(s.steps),
		dash + "warmup", strconv.Itoa(s.warmup),
		dash + "optimizer", cmp.Or(s.rule, bySGDm),
	}
}

type options struct {
	only    string
	batch   int
	tokens  int
	low     bool
	rule    string
	others  bool
	size    size // -1: the comparison's own
	threads string
	python  string
	out     string
	ours    string
	profile string
}

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet(Name, flag.ContinueOnError)
	f.StringVar(&o.only, "only", "", "nets to compare, separated by commas: "+names()+" (default: all)")
	f.IntVar(&o.batch, "batch", 128, "images in a batch")
	f.IntVar(&o.tokens, "tokens", 4096, "tokens in a batch of sentences, of source and target each, with padding")
	f.BoolVar(&o.low, "bfloat16", false, "train in bfloat16, PyTorch by autocast and in bfloat16 alone; all but kfac and the nets for text have it")
	f.StringVar(&o.rule, "optimizer", bySGDm, "update rule: "+bySGDm+", or "+byAdam+" for all nets but kfac and those for text")
	f.BoolVar(&o.others, "others", false, "add this library without any other, and for mlp GoMLX and stock Gorgonia, built from "+othersFolder)
	f.IntVar(&o.size.rounds, "rounds", -1, "number of rounds (-1: the net's own)")
	f.IntVar(&o.size.steps, "steps", -1, "timed steps in a round (-1: the net's own)")
	f.IntVar(&o.size.warmup, "warmup", -1, "warm-up steps before them (-1: the net's own)")
	f.StringVar(&o.threads, "threads", allThreads(), "numbers of PyTorch's threads, separated by commas, one side for each; 0: PyTorch's default")
	f.StringVar(&o.python, "python", "", "Python interpreter that has PyTorch (default: the first found of "+strings.Join(python.Interpreters(), ", ")+")")
	f.StringVar(&o.out, "out", "", "append the measurements to this file, one line of JSON for each process")
	f.StringVar(&o.ours, "ours", "", "measure only this library on the named net, in this process, and print JSON")
	f.StringVar(&o.profile, "cpuprofile", "", "with -ours: write a CPU profile of the timed steps to this file")
	return f
}

// allThreads are one thread and as many as there are cores: OpenMP's threads and the BLAS
// library's may be in each other's way.
func allThreads() string {
	if n := runtime.NumCPU(); n > 1 {
		return "1," + strconv.Itoa(n)
	}
	return "1"
}

// The bounds of the flags. A batch of maxBatch images takes 800 MB.
const (
	maxBatch   = 1 << 16
	minTokens  = 16
	maxSteps   = 1_000_000
	maxThreads = 1024
)

func (o *options) check() error {
	for _, n := range []struct {
		flag               string
		value, least, most int
	}{{"batch", o.batch, 1, maxBatch}, {"tokens", o.tokens, minTokens, maxBatch}, {"rounds", o.size.rounds, 1, maxSteps}, {"steps", o.size.steps, 1, maxSteps}, {"warmup", o.size.warmup, 0, maxSteps}} {
		if own := n.value == -1 && n.flag != "batch" && n.flag != "tokens"; !own && (n.value < n.least || n.value > n.most) {
			return errors.Errorf("-%s %d must be from %d to %d", n.flag, n.value, n.least, n.most)
		}
	}
	for flag, path := range map[string]string{"out": o.out, "cpuprofile": o.profile} {
		if err := creatable(path); err != nil { // before minutes of measuring
			return errors.Wrapf(err, "-%s", flag)
		}
	}
	if o.others && o.low {
		return errors.New("-others compares in float32, not with -bfloat16")
	}
	if o.rule != bySGDm && o.rule != byAdam {
		return errors.Errorf("-optimizer %q must be %s or %s", o.rule, bySGDm, byAdam)
	}
	if o.others && o.rule != bySGDm {
		return errors.Errorf("-others compares by %s, not with -optimizer %s", bySGDm, o.rule)
	}
	if o.profile != "" && o.ours == "" {
		return errors.New("-cpuprofile needs -ours")
	}
	if o.ours != "" {
		_, err := o.find(o.ours)
		return errors.WithMessage(err, "-ours")
	}
	if _, err := o.comparisons(); err != nil {
		return errors.WithMessage(err, "-only")
	}
	_, err := o.threadCounts()
	return err
}

// creatable returns an error if path is a folder or if its folder does not exist.
// An empty path is accepted.
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

// comparisons are the chosen ones in their usual order and in the chosen sizes.
func (o *options) comparisons() ([]comparison, error) {
	chosen := make(map[string]bool)
	if o.only != "" {
		for net := range strings.SplitSeq(o.only, ",") {
			c, err := o.find(strings.TrimSpace(net))
			if err != nil {
				return nil, err
			}
			chosen[c.net] = true
		}
	}
	var all []comparison
	for _, c := range comparisons {
		if chosen[c.net] || len(chosen) == 0 && !(o.special() && isSingle(c.net)) {
			c.size = o.size.or(c.size)
			all = append(all, c)
		}
	}
	return all, nil
}

// find returns the comparison of a net that is measured with these options.
func (o *options) find(net string) (comparison, error) {
	c, err := find(net)
	if err == nil && o.special() && isSingle(net) {
		err = errors.Errorf("%s is not measured in bfloat16 or by -optimizer %s", net, byAdam)
	}
	return c, err
}

// special reports whether the options are for nets for images alone.
func (o *options) special() bool { return o.low || o.rule != bySGDm }

// isSingle reports whether a net is trained in float32 and by its own rule alone.
func isSingle(net string) bool {
	_, trains := transformers[net]
	_, translates := translators[net]
	_, kfac := kfacSizes[net]
	return trains || translates || kfac
}

// or replaces each -1 in s by the value of other.
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
