package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

var imported = command{
	name: "import", names: "FILE", help: "weights of a PyTorch model, from its safetensors file", least: 1, most: 1,
	about: `Import writes the weights of a PyTorch model to a safetensors file for LoadWeights. It reads
what safetensors.torch.save_file(net.state_dict(), ...) wrote.

-torch is the JSON file with the names in PyTorch that export takes. -like is a checkpoint
or weights of the model here, of which only names, shapes and dtypes count. All tensors
must be of use and fit; the message names each that does not, with its shape.`,
	flags: func(fs *flag.FlagSet) work {
		var i importer
		fs.StringVar(&i.out, "o", "", "safetensors file to write")
		fs.StringVar(&i.names, "torch", "", "JSON file with the names in PyTorch")
		fs.StringVar(&i.like, "like", "", "checkpoint, safetensors file or folder of the model here")
		fs.BoolVar(&i.force, "force", false, "write over a file that is there")
		return i.run
	},
}

// importer are the flags.
type importer struct {
	out, names, like string
	force            bool
}

func (i *importer) run(_ context.Context, names []string, stdout, _ io.Writer) error {
	for _, f := range []struct{ name, value string }{{"o", i.out}, {"torch", i.names}, {"like", i.like}} {
		if f.value == "" {
			return cli.Usagef("import needs -%s", f.name)
		}
	}
	m, err := torch.ReadMap(i.names)
	if err != nil {
		return err
	}
	model, err := read(i.like)
	if err != nil {
		return errors.WithMessage(err, "-like")
	}
	tensors, err := checkpoint.ReadSafetensors(names[0])
	if err != nil {
		return err
	}
	weights, err := m.Import(model.weights(), tensors)
	if err != nil {
		return errors.WithMessagef(err, "%s, for the model of %s", names[0], model.path)
	}
	for _, path := range []string{names[0], model.path} {
		if err := mayWrite(i.out, path, i.force); err != nil {
			return err
		}
	}
	if err := checkpoint.WriteSafetensors(i.out, weights); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d arrays of %s\n", i.out, len(weights), names[0])
	return nil
}
