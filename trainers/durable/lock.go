package durable

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"
)

// ErrLocked is the cause of the error about a folder or a file that another run
// has locked. Test for it with errors.Is.
var ErrLocked = errors.New("durable: locked by another run")

// lockName is the file in a folder that stands for the folder.
const lockName = ".lock"

// Lock is a folder's lock. The system releases it when the process ends, however
// it ends.
type Lock struct{ f *os.File }

// LockFolder locks a folder, which must exist, until Unlock or the end of the
// process, and removes what killed writers left there. If another run has it, the
// cause of the error is ErrLocked. On file systems without locks it has no effect.
func LockFolder(folder string) (*Lock, error) {
	path := filepath.Join(folder, lockName)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, errors.Wrap(err, "lock")
		}
		err = tryLock(f)
		if errors.Is(err, ErrLocked) {
			owner := ownerOf(f)
			f.Close()
			return nil, errors.WithMessagef(ErrLocked, "folder %s%s", folder, owner)
		}
		if !isAt(f, path) { // unlocked and removed by another run meanwhile
			f.Close()
			continue
		}
		if err == nil {
			noteOwner(f)
		}
		RemoveLeftovers(folder)
		return &Lock{f}, nil
	}
}

// Unlock releases the folder.
func (l *Lock) Unlock() error {
	removed := os.Remove(l.f.Name()) // Windows removes no open file
	err := l.f.Close()
	if removed != nil {
		os.Remove(l.f.Name())
	}
	return errors.Wrap(err, "unlock")
}

// noteOwner writes down whose lock it is. Nothing depends on it.
func noteOwner(f *os.File) {
	_ = f.Truncate(0)
	_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
}

// ownerOf describes whose lock it is, as far as that can be read.
func ownerOf(f *os.File) string {
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil || len(text) == 0 {
		return ""
	}
	return " (process " + strings.TrimSpace(string(text)) + ")"
}
