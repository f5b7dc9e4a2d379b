package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"path"
	"path/filepath"
	"slices"

	"github.com/pkg/errors"
)

// archive is a published tar.gz file that holds all files of a set.
type archive struct {
	name  string
	md5   string
	urls  []string
	files []file
}

// use is told the content of the i-th file of an archive, perhaps more than
// once, if the first place had only some of the files.
type use func(i int, content []byte) error

// loadArchive gives the verified content of all files of set s to use, in any
// order, from the first place that has them, unpacked or in the archive. After
// an error the caller must forget what it was given.
func (c *config) loadArchive(ctx context.Context, s set, a archive, use use) error {
	if ctx == nil {
		return errors.New("datasets: nil context")
	}
	folders := c.folders(s)
	for _, folder := range folders {
		if err := ctx.Err(); err != nil {
			return errors.Wrapf(err, "datasets: %s", s.name)
		}
		found, err := c.loadFilesFrom(folder, a, use)
		if err != nil || found {
			return err
		}
	}
	var failures []string
	if !c.skipDownload {
		var found bool
		var err error
		if found, failures, err = c.downloadArchive(ctx, s, a, use); err != nil || found {
			return err
		}
	}
	return c.notFound(s, a.files[0].name+" or "+a.name, folders, failures)
}

// loadFilesFrom takes the files that lie in folder or, where one is missing,
// the archive.
func (c *config) loadFilesFrom(folder string, a archive, use use) (found bool, err error) {
	for i, f := range a.files {
		content, err := c.loadFrom(folder, f)
		if err != nil {
			return false, err
		}
		if content == nil {
			return c.loadArchiveFrom(folder, a, use)
		}
		if err := use(i, content); err != nil {
			return false, errors.Wrapf(err, "datasets: %s", filepath.Join(folder, f.name))
		}
	}
	return true, nil
}

func (c *config) loadArchiveFrom(folder string, a archive, use use) (found bool, err error) {
	path := filepath.Join(folder, a.name)
	raw, err := readOptional(path)
	if err != nil || raw == nil {
		return false, err
	}
	err = a.extract(raw, !c.skipChecksum, use)
	return err == nil, errors.Wrapf(err, "datasets: %s", path)
}

// downloadArchive tries the addresses of the archive in turn and stores the
// files of the first that verifies in the cache.
func (c *config) downloadArchive(ctx context.Context, s set, a archive, use use) (found bool, failures []string, err error) {
	folder, err := c.cacheFolder(s)
	if err != nil {
		return false, nil, errors.Wrapf(err, "datasets: downloading %s", a.name)
	}
	var storing error
	storeAndUse := func(i int, content []byte) error {
		if storing = store(folder, a.files[i].name, content); storing != nil {
			return storing
		}
		return use(i, content)
	}
	for _, address := range a.urls {
		raw, err := c.get(ctx, address, a.name)
		if ctx.Err() != nil {
			return false, nil, errors.Wrapf(ctx.Err(), "datasets: downloading %s", a.name)
		}
		if err == nil {
			err = checkMD5(raw, a.md5)
		}
		if err == nil {
			err = a.extract(raw, true, storeAndUse)
		}
		switch {
		case err == nil:
			return true, nil, nil
		case storing != nil:
			return false, nil, errors.Wrapf(storing, "datasets: storing %s", a.name)
		}
		failures = append(failures, address+" ("+err.Error()+")")
	}
	return false, failures, nil
}

// extract gives each file in the archive to use. All must be there once, in any
// folder; other members are passed over.
func (a archive) extract(raw []byte, checksum bool, use use) error {
	gz, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return errors.Wrap(err, "gzip")
	}
	seen := make([]bool, len(a.files))
	for members := tar.NewReader(gz); ; {
		header, err := members.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return errors.Wrap(err, "tar")
		}
		i := slices.IndexFunc(a.files, func(f file) bool { return f.name == path.Base(header.Name) })
		if i < 0 || header.Typeflag != tar.TypeReg {
			continue
		}
		f := a.files[i]
		if seen[i] {
			return errors.Errorf("archive holds %s twice", f.name)
		}
		seen[i] = true
		content, err := readLimited(members, maxBytes)
		if err == nil {
			content, err = f.open(content, checksum)
		}
		if err == nil {
			err = use(i, content)
		}
		if err != nil {
			return errors.Wrap(err, f.name)
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		return errors.Errorf("archive does not hold %s", a.files[i].name)
	}
	return nil
}
