package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

var strip = command{
	name: "strip", names: "FILE|FOLDER", help: "a checkpoint with its settings and weights alone", least: 1, most: 1,
	about: `Strip writes a checkpoint that has the settings and the weights of another one, without the
state of optimizer and learner, averages and mini-batches: to keep what a run has come
to, in less space. LoadWeights takes it. A run that needs what is gone cannot go on
from it, and Load says so.`,
	flags: func(fs *flag.FlagSet) work {
		out := fs.String("o", "", "file to write")
		force := fs.Bool("force", false, "write over a file that is there")
		return func(_ context.Context, names []string, stdout, stderr io.Writer) error {
			if *out == "" {
				return cli.Usagef("strip needs -o")
			}
			return stripOne(names[0], *out, *force, stdout, stderr)
		}
	},
}

func stripOne(name, out string, force bool, stdout, stderr io.Writer) error {
	f, err := read(name)
	if err != nil {
		return err
	}
	if f.document == nil {
		return cli.Usagef("%s is a safetensors file: it has weights alone", f.path)
	}
	if err := mayWrite(out, f.path, force); err != nil {
		return err
	}
	if _, err := f.chosen(false, stderr); err != nil {
		return err
	}
	s := &checkpoint.Snapshot{Meta: f.snapshot.Meta}
	for _, t := range f.snapshot.Tensors {
		if strings.HasPrefix(t.Name, checkpoint.WeightPrefix) {
			s.Tensors = append(s.Tensors, t)
		}
	}
	if err := checkpoint.Write(out, s); err != nil {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %s of %s: %d of %d arrays\n", out, cli.Size(float64(info.Size())), cli.Size(float64(f.size)), len(s.Tensors), len(f.snapshot.Tensors))
	return nil
}
