//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package durable

import (
	"os"
	"syscall"
)

// lock locks the open file for this open of it alone, and waits for others.
func lock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// tryLock is lock without waiting: ErrLocked where another open has it, another
// error where the file system has no locks.
func tryLock(f *os.File) error {
	err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		return ErrLocked
	}
	return err
}

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}
