package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// file is a checkpoint or a safetensors file.
type file struct {
	path string
	size int64
	// document has the settings of a checkpoint; nil for a safetensors file.
	document map[string]any
	snapshot *checkpoint.Snapshot
}

// inFolder is the checkpoint in the folder of a run.
const inFolder = "checkpoint"

// read reads all of a file. A folder stands for the checkpoint in it.
func read(path string) (*file, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, inFolder)
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, err
	}
	f := &file{path: path, size: info.Size()}
	whole, err := isCheckpoint(path)
	if err != nil {
		return nil, err
	}
	if !whole {
		tensors, err := checkpoint.ReadSafetensors(path)
		f.snapshot = &checkpoint.Snapshot{Tensors: tensors}
		return f, err
	}
	if f.snapshot, err = checkpoint.Read(path); err != nil {
		return nil, err
	}
	f.document = map[string]any{}
	if len(f.snapshot.Meta) == 0 {
		return f, nil
	}
	dec := json.NewDecoder(bytes.NewReader(f.snapshot.Meta))
	dec.UseNumber() // a seed has more digits than a float64
	return f, errors.Wrapf(dec.Decode(&f.document), "%s: the settings", path)
}

// isCheckpoint tells a checkpoint, which may be damaged, from a safetensors file.
func isCheckpoint(path string) (bool, error) {
	whole, err := checkpoint.Recognize(path)
	return whole || filepath.Ext(path) != ".safetensors", err
}

func (f *file) kind() string {
	if f.document == nil {
		return "safetensors"
	}
	return "checkpoint"
}

// weights are the parameters of the model.
func (f *file) weights() []checkpoint.NamedTensor {
	if f.document == nil {
		return f.snapshot.Tensors
	}
	return f.snapshot.Weights()
}

// text is a setting by its name in the document, "" where there is none.
func (f *file) text(name string) string {
	v, ok := f.document[name]
	if !ok {
		return ""
	}
	return fmt.Sprint(v)
}

// run has the settings of the training that are not fields of their own.
func (f *file) run() map[string]any {
	run, _ := f.document["run"].(map[string]any)
	return run
}

// setting is one line of the document.
type setting struct{ name, value string }

// settings has a line for each value of the document, by names such as "settings.lr".
func (f *file) settings() []setting {
	var all []setting
	flatten(&all, "", f.document)
	return all
}

func flatten(all *[]setting, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			inner := name + "." + key
			if name == "" || name == "run" {
				inner = key
			}
			flatten(all, inner, v[key])
		}
	case []any:
		for i, e := range v {
			flatten(all, fmt.Sprintf("%s[%d]", name, i), e)
		}
	default:
		*all = append(*all, setting{name, fmt.Sprint(v)})
	}
}

// group is the part of a tensor's name before the first slash: theta, state, phi, meta,
// average or kept.
func group(name string) string {
	g, _, _ := strings.Cut(name, "/")
	return g
}

// elements is the number of elements of all tensors.
func elements(tensors []checkpoint.NamedTensor) int {
	n := 0
	for _, t := range tensors {
		n += t.Value.Shape().TotalSize()
	}
	return n
}
