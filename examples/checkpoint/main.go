// Checkpoint looks into the files that trainings leave, checkpoints and weights: it lists
// them, shows the settings and the history of a run, compares two, draws them, exports weights
// to PyTorch and NumPy, imports those of PyTorch, strips checkpoints to their weights and verifies files.
//
//	go run ./examples/mnist -epochs 1
//	go run ./examples/checkpoint list out
//	go run ./examples/checkpoint show out/mnist
//	go run ./examples/checkpoint diff out/mnist/checkpoint out/other/checkpoint
//	go run ./examples/checkpoint plot out/mnist -o plots
//	go run ./examples/checkpoint export out/mnist -o weights.safetensors
//	go run ./examples/checkpoint export out/mnist -o pytorch.safetensors -torch map.json
//	go run ./examples/checkpoint export out/mnist -npy arrays
//	go run ./examples/checkpoint import pytorch.safetensors -torch map.json -like out/mnist -o weights.safetensors
//	go run ./examples/checkpoint strip out/mnist -o weights.checkpoint
//	go run ./examples/checkpoint verify out/mnist/*
//
// Each has -h. Nothing is trained, and no file is changed but those that -o and -npy name.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
)

// differ is the exit code of diff for files that differ.
const differ = 3

// command is one subcommand.
type command struct {
	name, names, help string
	// about is what -h says beside the flags.
	about string
	// least and most are how many names it takes; most of 0 is any number.
	least, most int
	// flags defines the flags and returns the work on the names.
	flags func(fs *flag.FlagSet) work
}

// work is what a subcommand does. Notes go to stderr.
type work func(ctx context.Context, names []string, stdout, stderr io.Writer) error

var commands = []command{list, show, diff, plotted, export, imported, strip, verify}

const usage = `Checkpoint looks into checkpoints and safetensors files.

Usage: checkpoint COMMAND [flags] FILE...
       checkpoint COMMAND -h

%s
A folder stands for the file "checkpoint" in it, as mnist, cifar and translate leave it.
Exit codes: 0 done; 1 failed: a file is corrupt, or cannot be read or written; 2 wrong
usage; 3 diff: the files differ; 130 interrupted. "go run" turns every code but 0 into 1.
`

func main() { os.Exit(cli.Run(program)) }

// program runs the command that args begin with.
func program(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return cli.Usagef("no command: list, show, diff, plot, export, import, strip or verify")
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		text := ""
		for _, c := range commands {
			text += fmt.Sprintf("  %-7s %s\n", c.name, c.help)
		}
		fmt.Fprintf(stdout, usage, text)
		return nil
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(ctx, args[1:], stdout, stderr)
		}
	}
	return cli.Usagef("unknown command %q: list, show, diff, plot, export, import, strip or verify", args[0])
}

func (c command) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("checkpoint "+c.name, flag.ContinueOnError)
	do := c.flags(fs)
	names, err := cli.ParseNames(fs, args, c.names, c.about, stdout)
	switch {
	case err != nil:
		return err
	case len(names) < c.least || c.most > 0 && len(names) > c.most:
		return cli.Usagef("%s takes %s, not %d names", c.name, c.names, len(names))
	}
	return do(ctx, names, stdout, stderr)
}
