package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/python"
	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
)

// Name is the subcommand's name. Run starts its own program with it again.
const Name = "peers"

const usage = `Usage: benchmarks peers [FLAG...]

Compares training steps of this library and of PyTorch: forward pass, softmax
cross-entropy, backward pass and SGD with momentum 0.9, on random data of ten
classes in float32. The nets are a fully connected one (mlp, 784-1000-1000-10 with
ReLU) and those for images of 3×32×32. PyTorch computes them on each number of threads
as it comes, with glibc set to keep its memory ("kept"), and so with images in the order
channels_last ("last"). The table of ratios at the end has its best: the time of its
fastest side, and the memory of the one that needs the least over its base.

The net "kfac" is the fully connected one with KFAC: factors of the batch's targets every
10 steps, inverses every 100, momentum 0.9 and damping 0.001. A step is an interval of
inverses, 100 training steps on 10 random batches in turn. PyTorch's KFAC keeps inputs and
output gradients from its backward pass and inverts by Cholesky's decomposition in float32.
All sides start from the same weights; the losses of the first 20 training steps may differ
by 0.2 %.

The net "transformer" is that of IWSLT'14 (6+6 blocks, width 512, 4 heads, 1024 hidden
units, one table of 10,000 tokens) without dropout, with smoothed labels and AdamW, on
random tokens in sentences of IWSLT's lengths. All sides start from the same weights and
must have the same losses. PyTorch computes it in two ways, by its own modules and by
functions that join products, each with glibc set to keep its memory.

The net "translate" searches for targets of 1000 random sentences of Multi30k's lengths
by beam search of width 5, with a Transformer of 3+3 blocks, width 128, 4 heads, 256
hidden units and one table of 5,200 tokens; a step is the translation of all. PyTorch
keeps keys and values in the same way, and tries batches of 1024 and 4096 source tokens.
Its weights are random, but such that some targets end early; the others end at the
largest length, 5 tokens more than the source has. At least 99 % of the targets must be
equal on all sides.

With -bfloat16 the nets but kfac and those for text train in bfloat16: this library with
trainers.Precision, PyTorch by autocast, which keeps weights in float32, and with all
arrays in bfloat16. Our weights are rounded to the nearest, as PyTorch's are.

With -optimizer adam the same nets train by Adam. PyTorch's has two ways, of which each is
a side: by parameter, and by operations on lists of them ("foreach").

With -others the nets mlp, lenet and resnet8 have a side "alone": this library with no
other, as where OpenBLAS and oneDNN are not installed. mlp is also trained by GoMLX's
backend in Go, as it is built by default and with vector instructions (GOEXPERIMENT=simd),
and by stock Gorgonia, with gonum's BLAS and with this library's, all from the same weights
on the same batch; the losses of the first 20 steps may differ by 0.2 %. Their programs are
built from the source, so that the go command and a checkout are needed.

PyTorch's OpenBLAS works for the same kind of processor as this library's, also where it
would take the processor for an older one. The sides run in turn, each in a process of its own. The time is that of whole steps. The memory is the peak of the process's
resident memory (Linux: VmHWM); a second figure ("over base") leaves out what the
process had before it made the net, such as Python's imports. All nets take about forty
minutes on two cores.
`

// Run is the subcommand. It returns the exit code: 0 if all nets were compared or
// PyTorch is missing, 1 if a side failed, 2 for wrong usage.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	code, ok := subcommand.ParseFlags(o.flags(), usage, args, stdout, stderr, subcommand.NoNames(o.check))
	if !ok {
		return code
	}
	var err error
	if o.ours != "" {
		err = o.measure(stdout)
	} else {
		err = o.run(ctx, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", Name, err)
		return 1
	}
	return 0
}

// measure measures this library in this process and prints the measurement.
func (o *options) measure(stdout io.Writer) error {
	c, err := find(o.ours)
	if err != nil {
		return err
	}
	s := o.size.or(c.size)
	m, err := measureOurs(c.net, settings{o.batch, o.tokens, s.steps, s.warmup, o.low, o.rule}, o.profile)
	if err != nil {
		return err
	}
	return errors.Wrap(json.NewEncoder(stdout).Encode(m), "writing the measurement")
}

// run compares all chosen nets and prints the results.
func (o *options) run(ctx context.Context, stdout io.Writer) error {
	candidates := python.Interpreters()
	if o.python != "" {
		candidates = []string{o.python}
	}
	python := python.First(ctx, candidates, "torch")
	if python == "" {
		tried := strings.Join(candidates, ", ")
		if !o.others || ctx.Err() != nil {
			fmt.Fprintf(stdout, "skipped: PyTorch not found (tried %s)\n", tried)
			return ctx.Err()
		}
		fmt.Fprintf(stdout, "without PyTorch, which was not found (tried %s)\n", tried)
	}
	all, err := o.comparisons()
	if err != nil {
		return err
	}
	var built builtOthers
	if o.others {
		dir, err := os.MkdirTemp("", Name)
		if err != nil {
			return errors.Wrap(err, "building other libraries")
		}
		defer os.RemoveAll(dir)
		if built, err = buildOthers(ctx, dir); err != nil {
			return err
		}
	}
	if text := Busy(); text != "" {
		fmt.Fprintln(stdout, text)
	}
	return o.compareAll(ctx, all, python, built, stdout)
}

// compareAll compares the nets one after another. A net that fails does not stop
// the others. Without python there are no sides of PyTorch's.
func (o *options) compareAll(ctx context.Context, all []comparison, python string, built builtOthers, stdout io.Writer) error {
	var results []result
	var failed []string
	for _, c := range all {
		fmt.Fprintf(stdout, "%s: %s, %d rounds of %d steps after %d\n\n", c.net, o.batchOf(c), c.size.rounds, c.size.steps, c.size.warmup)
		r, err := o.compare(ctx, c, python, built)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			fmt.Fprintf(stdout, "failed: %v\n\n", err)
			failed = append(failed, c.net)
			continue
		}
		if err := r.report(stdout); err != nil {
			return err
		}
		fmt.Fprintln(stdout)
		results = append(results, r)
	}
	if python != "" {
		if err := summary(stdout, results); err != nil {
			return err
		}
	}
	if built != nil {
		if err := summaryAlone(stdout, results); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return errors.Errorf("%s failed", strings.Join(failed, ", "))
	}
	return nil
}

// compare measures all sides on one net.
func (o *options) compare(ctx context.Context, c comparison, python string, built builtOthers) (result, error) {
	counts, err := o.threadCounts()
	if err != nil {
		return result{}, err
	}
	s := settings{o.batch, o.tokens, c.size.steps, c.size.warmup, o.low, o.rule}
	r := result{comparison: c, sides: []*side{{name: "ours", run: ourProcess(c.net, s)}}}
	if python != "" {
		torch, done, err := o.torchSides(c, python, counts, s)
		if err != nil {
			return r, err
		}
		defer done()
		r.sides = append(r.sides, torch...)
	}
	if built != nil {
		others, done, err := built.sides(c, s)
		if err != nil {
			return r, err
		}
		defer done()
		r.others = others
	}
	return r, measureInTurn(ctx, c.size.rounds, r.all(), func(round int, side string, m measurement) error {
		r := record{Net: c.net, Side: side, Round: round, Batch: s.batch, Optimizer: c.rule(s), Steps: s.steps, Warmup: s.warmup, measurement: m}
		if c.net == transformerNet {
			r.Batch = s.tokens
		}
		return r.add(o.out)
	})
}

// batchOf describes the batches of a comparison.
func (o *options) batchOf(c comparison) string {
	switch c.net {
	case transformerNet:
		return fmt.Sprintf("%d tokens a batch", o.tokens)
	case translateNet:
		return fmt.Sprintf("%d sentences", translateSentences)
	}
	return fmt.Sprintf("batch %d", o.batch)
}

// torchSides are PyTorch's sides on each number of threads. done removes their files.
func (o *options) torchSides(c comparison, python string, threads []int, s settings) (sides []*side, done func(), err error) {
	switch c.net {
	case transformerNet:
		return transformerSides(python, c.net, threads, s)
	case kfacNet:
		return kfacSides(python, c.net, threads, s)
	case translateNet:
		return translateSides(python, c.net, threads, s)
	}
	for _, w := range ways(c.net, threads, s) {
		sides = append(sides, &side{name: w.name(), run: torchProcess(python, c.net, w, s), ownWeights: true})
	}
	return sides, func() {}, nil
}
