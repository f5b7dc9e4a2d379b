package datasets

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"slices"

	"github.com/pkg/errors"
)

// maxBytes bounds what is read of one file and what all files of a set hold
// unpacked; the largest set, SVHN, has 301 MB. slack is for what an archive has
// beside the files: headers, padding, a text.
const (
	maxBytes = 512 << 20
	slack    = 1 << 20
)

// unpack returns the content of file f from raw, which may be that content, a
// gzip of it, or a zip archive that holds it. The first bytes decide, not the name. At
// most limit bytes are unpacked.
func unpack(raw []byte, f file, limit int64) ([]byte, error) {
	switch {
	case bytes.HasPrefix(raw, []byte{0x1f, 0x8b}):
		gz, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, errors.Wrap(err, "gzip")
		}
		lines := &lineReader{r: gz}
		content, err := readLimited(lines, limit, f.size)
		if f.text && err != nil {
			err = errors.Wrapf(err, "line %d", lines.ends+1)
		}
		return content, errors.Wrap(err, "gzip")
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		content, err := unzip(raw, f, limit)
		return content, errors.Wrap(err, "zip")
	}
	return raw, nil
}

// unzip finds f in a zip archive, also in one that lies within another.
func unzip(raw []byte, f file, limit int64) ([]byte, error) {
	content, err := unzipNamed(raw, []string{f.name}, limit)
	if err != nil || content != nil {
		return content, err
	}
	inner, err := unzipNamed(raw, f.archives, limit+slack)
	if err != nil {
		return nil, err
	}
	if inner != nil {
		content, err = unzipNamed(inner, []string{f.name}, limit)
	}
	if err == nil && content == nil {
		err = errors.Errorf("archive does not hold %s", f.name)
	}
	return content, err
}

// unzipNamed returns the first member with one of the names in any folder, nil
// if there is none.
func unzipNamed(raw []byte, names []string, limit int64) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	for _, member := range archive.File {
		if !slices.Contains(names, path.Base(member.Name)) {
			continue
		}
		r, err := member.Open()
		if err != nil {
			return nil, errors.Wrap(err, member.Name)
		}
		defer r.Close()
		content, err := readLimited(r, limit, 0)
		return content, errors.Wrap(err, member.Name)
	}
	return nil, nil
}

// readLimited reads all of r and refuses more than limit bytes. size is what r is thought
// to hold, 0 for unknown: memory for it is made at once.
func readLimited(r io.Reader, limit, size int64) ([]byte, error) {
	var content bytes.Buffer
	content.Grow(int(max(0, min(size, limit))) + bytes.MinRead)
	_, err := content.ReadFrom(&cappedReader{r: r, left: limit, max: limit})
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.Errorf("truncated after %d bytes of content", content.Len())
	}
	if err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

// lineReader counts the ends of lines in what is read of r.
type lineReader struct {
	r    io.Reader
	ends int
}

func (l *lineReader) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	l.ends += bytes.Count(b[:n], []byte{'\n'})
	return n, err
}

// cappedReader is r with an error after max bytes, if r does not end there.
type cappedReader struct {
	r         io.Reader
	left, max int64
}

func (c *cappedReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if c.left > 0 {
		n, err := c.r.Read(b[:min(int64(len(b)), c.left)])
		c.left -= int64(n)
		return n, err
	}
	n, err := c.r.Read(b[:1])
	if n > 0 {
		return 0, errors.Errorf("more than %d bytes of content", c.max)
	}
	return 0, err
}
