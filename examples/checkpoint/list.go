package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

var list = command{
	name: "list", names: "[FILE|FOLDER]...", help: "find checkpoints and safetensors files in folders",
	about: `List finds checkpoints and safetensors files in folders, at any depth, and says what each
is: the step, the optimizer, the numbers in the weights and the size. Without a name
it looks in the current folder. All of each file is read: one that is corrupt gets a
line that says so, and the exit code is 1.`,
	flags: func(*flag.FlagSet) work { return listAll },
}

func listAll(ctx context.Context, names []string, stdout, _ io.Writer) error {
	if len(names) == 0 {
		names = []string{"."}
	}
	paths, err := candidates(ctx, names)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		fmt.Fprintln(stdout, "no checkpoints or safetensors files")
		return nil
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "file\tkind\tstep\toptimizer\tweights\tsize\twritten")
	bad := 0
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := describe(path)
		if err != nil {
			bad++
			line = "not readable: " + err.Error()
		}
		fmt.Fprintf(w, "%s\t%s\n", path, line)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if bad > 0 {
		return errors.Errorf("%d of %d files cannot be read", bad, len(paths))
	}
	return nil
}

// candidates are the files to list: those named, and in folders those that begin like a
// checkpoint or are called .safetensors.
func candidates(ctx context.Context, names []string) (all []string, err error) {
	for _, name := range names {
		err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if !d.Type().IsRegular() {
				return nil
			}
			if path != name && filepath.Ext(path) != ".safetensors" {
				whole, err := checkpoint.Recognize(path)
				if err != nil || !whole {
					return err
				}
			}
			all = append(all, path)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// describe has the cells of a file's line behind its name.
func describe(path string) (string, error) {
	f, err := read(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s\t%s\t%s\t%d\t%s\t%s", f.kind(), orDash(f.text("steps")), orDash(f.text("optimizer")),
		elements(f.weights()), cli.Size(float64(f.size)), info.ModTime().Format("2006-01-02 15:04")), nil
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
