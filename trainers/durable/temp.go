package durable

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"
)

// infix is between the name of a file and the number of its temporary file.
const infix = ".tmp-"

// staleAfter is the age at which a temporary file is taken for abandoned where
// the file system has no locks.
const staleAfter = time.Hour

// createTemp makes a temporary file for target, locked as long as it is open.
func createTemp(target string) (*os.File, error) {
	for {
		name := target + infix + strconv.FormatUint(rand.Uint64(), 10)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return nil, err
		}
		_ = lock(f) // without locks others go by its age
		if isAt(f, name) {
			return f, nil
		}
		f.Close() // taken for abandoned before it was locked
	}
}

// isAt reports whether the open file is the one that path names.
func isAt(f *os.File, path string) bool {
	own, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(own, there)
}

// RemoveLeftovers removes the temporary files that killed writers left in the
// folder. It is housekeeping: what cannot be removed stays.
func RemoveLeftovers(folder string) { removeLeftovers(folder, "") }

// removeLeftovers removes those for the file of that name, "" for any.
func removeLeftovers(folder, name string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		of, ok := tempOf(e.Name())
		if !ok || name != "" && of != name || !e.Type().IsRegular() {
			continue
		}
		removeAbandoned(filepath.Join(folder, e.Name()))
	}
}

// tempOf is the name of the file that a temporary file was for.
func tempOf(name string) (of string, ok bool) {
	i := strings.LastIndex(name, infix)
	if i <= 0 {
		return "", false
	}
	_, err := strconv.ParseUint(name[i+len(infix):], 10, 64)
	return name[:i], err == nil
}

// removeAbandoned removes a temporary file that no process writes to.
func removeAbandoned(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	err = tryLock(f)
	if err != nil && !errors.Is(err, ErrLocked) {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && time.Since(info.ModTime()) < staleAfter {
			return
		}
	}
	if err == nil {
		os.Remove(path)
	}
}
