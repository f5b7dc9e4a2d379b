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
	"strings"

	"github.com/pkg/errors"
)

// archive is a published tar.gz file that holds all files of a set.
type archive struct {
	name  string
	md5   string
	urls  []string
	files []file
}

// use takes the content of the i-th file of an archive. It may be called again for the
// same file if the first place had only some of the files.
type use func(i int, content []byte) error

// loadArchive passes the verified content of all files of set s to use, in any order.
// It takes them from the first place that has them, unpacked or in the archive. After
// an error the caller must discard what use has received.
func (c *config) loadArchive(ctx context.Context, s set, a archive, use use) error {
	return c.find(ctx, s, source{
		names:    a.names(),
		from:     func(folder string) (bool, error) { return c.loadFilesFrom(folder, a, use) },
		download: func(ctx context.Context) (bool, []string, error) { return c.downloadArchive(ctx, s, a, use) },
	})
}

// names lists the files of the archive, for errors.
func (a archive) names() string {
	var names []string
	for _, f := range a.files {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ") + " (each also .gz) or " + a.name
}

// limit is the largest size that all files may have together.
func (a archive) limit(checksum bool) int64 {
	var sum int64
	for _, f := range a.files {
		sum += f.limit(checksum)
	}
	return min(sum, maxBytes)
}

// loadFilesFrom takes the files that lie in folder or, where one is missing,
// the archive.
func (c *config) loadFilesFrom(folder string, a archive, use use) (found bool, err error) {
	left := a.limit(!c.skipChecksum)
	for i, f := range a.files {
		found, err := c.loadFrom(folder, f, min(left, f.limit(!c.skipChecksum)), func(content []byte) error {
			left -= int64(len(content))
			return use(i, content)
		})
		if err != nil {
			return false, err
		}
		if !found {
			return c.loadArchiveFrom(folder, a, use)
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
		return false, nil, errors.Wrapf(err, "datasets: %s: downloading %s", s.title, a.name)
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
			return false, nil, errors.Wrapf(ctx.Err(), "datasets: %s: downloading %s", s.title, a.name)
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
// folder; other members are passed over. What the archive unpacks to is limited
// by what its files can be.
func (a archive) extract(raw []byte, checksum bool, use use) error {
	gz, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return errors.Wrap(err, "gzip")
	}
	left := a.limit(checksum)
	seen := make([]bool, len(a.files))
	unpacked := &cappedReader{r: gz, left: left + slack, max: left + slack}
	for members := tar.NewReader(unpacked); ; {
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
		limit := min(left, f.limit(checksum))
		content, err := readLimited(members, limit, f.size)
		if err == nil {
			content, err = f.open(content, checksum, limit)
		}
		if err == nil {
			left -= int64(len(content))
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
