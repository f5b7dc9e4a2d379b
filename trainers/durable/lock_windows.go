package durable

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock locks the open file for this open of it alone, and waits for others.
func lock(f *os.File) error { return lockByte(f, windows.LOCKFILE_EXCLUSIVE_LOCK) }

// tryLock is lock without waiting: ErrLocked where another open has it, another
// error where the file system has no locks.
func tryLock(f *os.File) error {
	err := lockByte(f, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY)
	if err == windows.ERROR_LOCK_VIOLATION {
		return ErrLocked
	}
	return err
}

// lockByte locks a byte far behind the end: locks keep others from reading here.
func lockByte(f *os.File, flags uint32) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
}
