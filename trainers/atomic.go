package trainers

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/errors"
)

// staleAfter is the age at which a temporary file is taken for abandoned.
const staleAfter = time.Hour

// writeAtomic gives path the content that write writes, or leaves path alone.
func writeAtomic(path string, write func(io.Writer) error) (err error) {
	removeStaleTemps(path)
	temp := tempPrefix(path) + strconv.FormatUint(rand.Uint64(), 10)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// tempPrefix is the path of every temporary file for path, up to the number.
func tempPrefix(path string) string { return filepath.Clean(path) + ".tmp-" }

// removeStaleTemps removes what killed writers of path left behind. It is
// housekeeping: a file that cannot be removed does not stop the checkpoint.
func removeStaleTemps(path string) {
	dir, prefix := filepath.Split(tempPrefix(path))
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || !e.Type().IsRegular() {
			continue
		}
		if _, err := strconv.ParseUint(number, 10, 64); err != nil {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > staleAfter {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// syncDir makes a rename in dir durable. Windows has no such operation.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) {
		return nil // a file system that cannot sync directories
	}
	return err
}
