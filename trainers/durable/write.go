package durable

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/pkg/errors"
)

// WriteFile is Write of content that is there already.
func WriteFile(path string, content []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Write gives the file path the content that write writes, in a single step:
// whatever happens on the way, path holds the old content or all of the new. The
// content goes to a temporary file in the same folder (path with the suffix
// ".tmp-" and a number), which is synced, renamed to path and followed by a sync
// of the folder.
//
// A file that has this content already is left alone. To find out, write is
// called once more: it must write the same again.
//
// If path is a symbolic link, the file that it leads to is replaced and the link
// stays. The permissions of a file stay. A device or pipe, such as /dev/stdout,
// is written to.
//
// After an error the file is as before and the temporary file is gone; the
// exception is an error of the last sync, when the new content is in place
// already. A writer that was killed leaves its temporary file; the next Write to
// the same path removes it, and so does RemoveLeftovers.
func Write(path string, write func(io.Writer) error) error {
	if path == "" {
		return errors.New("no file name")
	}
	target, err := resolve(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
		info = nil
	case info.IsDir():
		return errors.Errorf("%s is a folder", target)
	case !info.Mode().IsRegular():
		return writeThrough(target, write)
	case hasContent(target, write):
		return nil
	}
	removeLeftovers(filepath.Dir(target), filepath.Base(target))
	return replace(target, info, write)
}

// replace writes a temporary file and renames it. old describes the file that is
// replaced, nil for none.
func replace(target string, old os.FileInfo, write func(io.Writer) error) (err error) {
	f, err := createTemp(target)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if old != nil {
		_ = f.Chmod(old.Mode().Perm()) // some file systems have no permissions
	}
	if err := f.Sync(); err != nil {
		return err
	}
	// The open file is locked, which keeps others from removing it. Windows
	// renames no open file.
	if runtime.GOOS == "windows" {
		if err := f.Close(); err != nil {
			return err
		}
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	if runtime.GOOS != "windows" {
		if err := f.Close(); err != nil {
			return err
		}
	}
	return syncFolder(filepath.Dir(target))
}

// resolve follows path where it is a symbolic link, to a file that need not exist.
func resolve(path string) (string, error) {
	const most = 100 // links in a row
	for range most {
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&os.ModeSymlink == 0 {
			return path, nil
		}
		to, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			to = filepath.Join(folder, to)
		}
		path = to
	}
	return "", errors.Errorf("%s: too many symbolic links", path)
}

// writeThrough writes to what is no file.
func writeThrough(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// hasContent reports whether the file has what write writes.
func hasContent(path string, write func(io.Writer) error) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	c := &comparer{r: f}
	if err := write(c); err != nil || c.differs {
		return false
	}
	n, err := f.Read(make([]byte, 1))
	return n == 0 && err == io.EOF
}

var errDiffers = errors.New("durable: the content differs")

// comparer is a writer that compares what it gets with what r has. It fails at
// the first difference.
type comparer struct {
	r       io.Reader
	buffer  []byte
	differs bool
}

func (c *comparer) Write(p []byte) (int, error) {
	for done := 0; done < len(p) && !c.differs; {
		part := p[done:min(done+1<<16, len(p))]
		if len(c.buffer) < len(part) {
			c.buffer = make([]byte, len(part))
		}
		if _, err := io.ReadFull(c.r, c.buffer[:len(part)]); err != nil || !bytes.Equal(c.buffer[:len(part)], part) {
			c.differs = true
		}
		done += len(part)
	}
	if c.differs {
		return 0, errDiffers
	}
	return len(p), nil
}

// syncFolder makes a rename in a folder durable. Windows has no such operation.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) {
		return nil // a file system that cannot sync folders
	}
	return err
}
