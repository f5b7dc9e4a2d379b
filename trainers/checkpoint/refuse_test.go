package checkpoint

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestBadInputIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	errorOf := func(_ any, err error) error { return err }
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"no snapshot":                     {Write(file, nil), []string{file, "nothing"}},
		"snapshot of nil":                 {Write(file, &Snapshot{Tensors: []NamedTensor{{Name: "w"}}}), []string{`"w"`, "no value"}},
		"snapshot without names":          {Write(file, &Snapshot{Tensors: []NamedTensor{{Value: denseOf([]float32{1, 2}, 2)}}}), []string{"name"}},
		"snapshot of no JSON":             {Write(file, &Snapshot{Meta: []byte("{")}), []string{file}},
		"safetensors of nil":              {WriteSafetensors(file, []NamedTensor{{Name: "w"}}), []string{`"w"`}},
		"decode nothing":                  {errorOf(Decode(nil)), []string{"checkpoint"}},
		"read a directory":                {errorOf(Read(dir)), []string{dir}},
		"read safetensors of a directory": {errorOf(ReadSafetensors(dir)), []string{dir}},
	} {
		for _, want := range c.want {
			if c.err == nil || !strings.Contains(c.err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", name, c.err, want)
			}
		}
	}
}
