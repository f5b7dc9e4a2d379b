package datasets

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"
)

// ErrNotFound is the cause of a loader's error when a file is in none of the
// places looked at and could not be downloaded; the message lists them all.
// A file that is found but damaged is a different error.
var ErrNotFound = errors.New("not found")

// load returns the verified content of a file of set s from the first place
// that has it.
func (c *config) load(ctx context.Context, s set, f file) ([]byte, error) {
	if ctx == nil {
		return nil, errors.New("datasets: nil context")
	}
	if err := ctx.Err(); err != nil {
		return nil, errors.Wrapf(err, "datasets: %s", f.name)
	}
	folders := c.folders(s)
	for _, folder := range folders {
		content, err := c.loadFrom(folder, f)
		if err != nil || content != nil {
			return content, err
		}
	}
	var failures []string
	if !c.skipDownload {
		var content []byte
		var err error
		if content, failures, err = c.download(ctx, s, f); err != nil || content != nil {
			return content, err
		}
	}
	return nil, c.notFound(s, f.name, folders, failures)
}

// notFound is the error that lists where the file was looked for.
func (c *config) notFound(s set, what string, folders, failures []string) error {
	looked := "looked in " + strings.Join(folders, ", ")
	if c.skipDownload {
		looked += "; downloads are off"
	} else {
		looked += "; tried " + strings.Join(failures, ", ")
	}
	if s.note != "" {
		looked += "; " + s.note
	}
	return errors.Wrapf(ErrNotFound, "datasets: %s: %s", what, looked)
}

// folders lists where set s may lie on disk, in the order of preference.
func (c *config) folders(s set) []string {
	var folders []string
	if c.dir != "" {
		for _, sub := range s.folders {
			folders = append(folders, filepath.Join(c.dir, filepath.FromSlash(sub)))
		}
	}
	if cache, err := c.cacheFolder(s); err == nil {
		folders = append(folders, cache)
	}
	return append(folders, s.system...)
}

// loadFrom returns the content of f if folder holds it under one of its names,
// nil if not.
func (c *config) loadFrom(folder string, f file) ([]byte, error) {
	for _, name := range f.localNames() {
		path := filepath.Join(folder, name)
		raw, err := readOptional(path)
		if err != nil {
			return nil, err
		}
		if raw == nil {
			continue
		}
		content, err := f.open(raw, !c.skipChecksum)
		return content, errors.Wrapf(err, "datasets: %s", path)
	}
	return nil, nil
}

// readOptional is the content of a file, nil if there is none.
func readOptional(path string) ([]byte, error) {
	raw, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, errors.Wrap(err, "datasets")
}

func readFile(path string) ([]byte, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw, err := readLimited(r, maxBytes)
	return raw, errors.Wrap(err, path)
}
