package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

var export = command{
	name: "export", names: "FILE|FOLDER", help: "weights as safetensors or NumPy's arrays", least: 1, most: 1,
	about: `Export writes the weights of a checkpoint or of a safetensors file to a safetensors file
(-o), or each array to a file of NumPy in a folder (-npy). They are the weights of the
training, or with -averaged those that its Averaged evaluates.

With -torch they get the names and axes of a PyTorch state dict, by a JSON file such as

  {
    "conv0": {"weight": "features.0.weight", "bias": "features.0.bias", "kernel": [5, 5]},
    "bn1/scale": {"weight": "features.1.weight"},
    "embedding2": {"weight": "table.weight", "keep": true},
    "dense3": "classifier"
  }

where "classifier" stands for classifier.weight and classifier.bias. Matrices are transposed,
their last row is the bias; a kernel gives them the axes outputs, channels, rows, columns; keep
leaves the axes as they are. show lists the names of the parameters.`,
	flags: func(fs *flag.FlagSet) work {
		var e exported
		fs.StringVar(&e.out, "o", "", "safetensors file to write")
		fs.StringVar(&e.folder, "npy", "", "folder for NumPy's files, which is made")
		fs.StringVar(&e.names, "torch", "", "JSON file with the names in PyTorch")
		fs.StringVar(&e.format, "format", "", "float16 or bfloat16: 16 bits a number, in a safetensors file")
		fs.BoolVar(&e.averaged, "averaged", false, "the averaged weights")
		fs.BoolVar(&e.force, "force", false, "write over files that are there")
		return e.run
	},
}

// exported are the flags.
type exported struct {
	out, folder, names, format string
	averaged, force            bool
}

func (e *exported) run(_ context.Context, names []string, stdout, stderr io.Writer) error {
	if (e.out == "") == (e.folder == "") {
		return cli.Usagef("export needs -o or -npy, and not both")
	}
	if e.format != "" && (e.out == "" || e.format != apoops.Float16.String() && e.format != apoops.BFloat16.String()) {
		return cli.Usagef("-format %q: it must be float16 or bfloat16, with -o", e.format)
	}
	f, err := read(names[0])
	if err != nil {
		return err
	}
	weights, err := f.chosen(e.averaged, stderr)
	if err != nil {
		return err
	}
	if e.names != "" {
		m, err := torch.ReadMap(e.names)
		if err != nil {
			return err
		}
		if weights, err = m.Export(weights); err != nil {
			return errors.WithMessage(err, f.path)
		}
	}
	if e.folder != "" {
		return e.writeArrays(weights, stdout)
	}
	if err := mayWrite(e.out, f.path, e.force); err != nil {
		return err
	}
	if err := e.write(weights); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d arrays of %s\n", e.out, len(weights), f.path)
	return nil
}

func (e *exported) write(weights []checkpoint.NamedTensor) error {
	switch e.format {
	case apoops.Float16.String():
		return checkpoint.WriteSafetensors16(e.out, apoops.Float16, weights)
	case apoops.BFloat16.String():
		return checkpoint.WriteSafetensors16(e.out, apoops.BFloat16, weights)
	}
	return checkpoint.WriteSafetensors(e.out, weights)
}

// chosen are the weights, or their average in the places of what is learned.
func (f *file) chosen(averaged bool, stderr io.Writer) ([]checkpoint.NamedTensor, error) {
	weights := f.weights()
	if len(weights) == 0 {
		return nil, errors.Errorf("%s has no weights", f.path)
	}
	mean := make(map[string]checkpoint.NamedTensor)
	for _, t := range f.snapshot.Tensors {
		if name, ok := strings.CutPrefix(t.Name, "average/"); ok && f.document != nil {
			mean[name] = t
		}
	}
	switch {
	case averaged && len(mean) == 0:
		return nil, cli.Usagef("-averaged: %s has no average of the weights", f.path)
	case averaged:
		for i, w := range weights {
			if t, ok := mean[w.Name]; ok {
				weights[i].Value, weights[i].Format = t.Value, t.Format
			}
		}
	case len(mean) > 0:
		fmt.Fprintf(stderr, "note: the run evaluates averaged weights: -averaged exports them\n")
	case strings.HasPrefix(f.text("optimizer"), "schedule-free"):
		fmt.Fprintf(stderr, "note: %s evaluates other weights than these: SaveWeights of the run writes them\n", f.text("optimizer"))
	}
	return weights, nil
}

// writeArrays writes a file for each array.
func (e *exported) writeArrays(weights []checkpoint.NamedTensor, stdout io.Writer) error {
	paths, user := make([]string, len(weights)), make(map[string]string)
	for i, t := range weights {
		paths[i] = filepath.Join(e.folder, fileName(t.Name)+".npy")
		if other, ok := user[paths[i]]; ok {
			return errors.Errorf("%q and %q would both be written to %s", other, t.Name, paths[i])
		}
		user[paths[i]] = t.Name
		if err := mayWrite(paths[i], "", e.force); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(e.folder, 0o777); err != nil {
		return errors.Wrap(err, "-npy")
	}
	for i, t := range weights {
		if err := checkpoint.WriteNPY(paths[i], t); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "%s: %d arrays\n", e.folder, len(weights))
	return nil
}

// fileName is a name without what separates folders.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '/':
			return '.'
		case r < ' ' || strings.ContainsRune(`\:*?"<>|`, r):
			return '_'
		}
		return r
	}, name)
}

// mayWrite reports a file that must not be written over: that which is read, and without
// force any.
func mayWrite(path, from string, force bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil // not there, or the write will say what is wrong
	}
	if source, err := os.Stat(from); err == nil && os.SameFile(info, source) {
		return cli.Usagef("%s is the file that is read: name another", path)
	}
	if !force {
		return cli.Usagef("%s is there already: -force writes over it", path)
	}
	return nil
}
