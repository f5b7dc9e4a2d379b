package datasets

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"
)

// ErrNotFound is the cause of a loader's error when a file was not found and could not
// be downloaded. The message lists the places that were searched. A file that is found
// but damaged is a different error.
var ErrNotFound = errors.New("not found")

// source finds the files of a set. Its functions report whether they found all files.
type source struct {
	// names lists the files, for errors.
	names string
	// from looks in a folder, which need not exist.
	from func(folder string) (all bool, err error)
	// download tries the addresses and stores what it finds in the cache;
	// failures has the error of each address.
	download func(ctx context.Context) (all bool, failures []string, err error)
}

// find takes set s from the first place that has it. A damaged file in the data folder
// or in the system's folder is an error, because those files are not ours. A damaged
// file in the cache is downloaded anew.
func (c *config) find(ctx context.Context, s set, src source) error {
	if ctx == nil {
		return errors.New("datasets: nil context")
	}
	if err := c.checkDir(); err != nil {
		return errors.Wrapf(err, "datasets: %s", s.title)
	}
	cache, _ := c.cacheFolder(s)
	folders := c.folders(s)
	own := 0 // of the folders, those that the user named
	if c.dir != "" {
		own = len(s.folders)
	}
	var damage error
	for i, folder := range folders {
		if err := ctx.Err(); err != nil {
			return errors.Wrapf(err, "datasets: %s", s.title)
		}
		all, err := src.from(folder)
		if err != nil && folder == cache && i >= own {
			damage = err
			continue
		}
		if err != nil || all {
			return err
		}
	}
	var failures []string
	if !c.skipDownload {
		all, failed, err := src.download(ctx)
		if err != nil || all {
			return err
		}
		failures = failed
	}
	if damage != nil {
		return errors.Errorf("%v; %s", damage, c.notDownloaded(failures))
	}
	return c.notFound(s, src.names, folders, failures)
}

// checkDir refuses a data folder that does not exist, so that a misspelt name does not
// lead to a download.
func (c *config) checkDir() error {
	if c.dir == "" {
		return nil
	}
	info, err := os.Stat(c.dir)
	if err == nil && !info.IsDir() {
		err = errors.Errorf("%s is not a folder", c.dir)
	}
	return errors.Wrapf(err, "the data folder (%s)", c.dirFrom)
}

// notFound is the error that lists the files and the places that were searched.
func (c *config) notFound(s set, names string, folders, failures []string) error {
	looked := "no " + names + " in " + strings.Join(folders, ", ") + "; "
	if c.dir == "" {
		looked += dirVariable + ", the folder to look in first, is not set; "
	} else {
		looked += "the folder to look in first (" + c.dirFrom + ") is " + c.dir + "; "
	}
	looked += c.notDownloaded(failures)
	if s.note != "" {
		looked += "; " + s.note
	}
	return errors.Wrapf(ErrNotFound, "datasets: %s: %s", s.title, looked)
}

func (c *config) notDownloaded(failures []string) string {
	if c.skipDownload {
		return "downloads are off"
	}
	return "downloading failed: " + strings.Join(failures, ", ")
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

// load gives use the verified content of a file of set s from the first place
// that has it. An error of use says that the content is damaged.
func (c *config) load(ctx context.Context, s set, f file, use func(content []byte) error) error {
	return c.find(ctx, s, source{
		names: strings.Join(f.localNames(), " or "),
		from: func(folder string) (bool, error) {
			return c.loadFrom(folder, f, f.limit(!c.skipChecksum), use)
		},
		download: func(ctx context.Context) (bool, []string, error) { return c.download(ctx, s, f, use) },
	})
}

// loadFrom gives use the content of f if folder holds it under one of its names.
func (c *config) loadFrom(folder string, f file, limit int64, use func(content []byte) error) (found bool, err error) {
	content, path, err := c.open(folder, f, limit)
	if content == nil || err != nil {
		return false, err
	}
	err = use(content)
	return err == nil, errors.Wrapf(err, "datasets: %s", path)
}

// open is the content of f and where it lies, if folder holds it under one of its names,
// nil if not.
func (c *config) open(folder string, f file, limit int64) (content []byte, path string, err error) {
	for _, name := range f.localNames() {
		path := filepath.Join(folder, name)
		raw, err := readOptional(path)
		if err != nil {
			return nil, "", err
		}
		if raw == nil {
			continue
		}
		content, err := f.open(raw, !c.skipChecksum, limit)
		if content == nil {
			content = []byte{} // nil stands for no file
		}
		return content, path, errors.Wrapf(err, "datasets: %s", path)
	}
	return nil, "", nil
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
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, errors.Errorf("%s is not a regular file", path)
	}
	if info.Size() > maxBytes {
		return nil, errors.Errorf("%s has %d bytes, more than %d", path, info.Size(), maxBytes)
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw, err := readLimited(r, maxBytes, info.Size())
	return raw, errors.Wrap(err, path)
}
