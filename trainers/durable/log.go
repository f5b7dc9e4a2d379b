package durable

import (
	"bufio"
	"io"
	"os"

	"github.com/pkg/errors"
)

// Log is a file that lines are appended to. What is written is buffered until
// Flush or Close. As long as it is open no other Log of the file can be opened,
// where the file system has locks.
type Log struct {
	f *os.File
	w *bufio.Writer
}

// CreateLog starts an empty log. See OpenLog for the errors.
func CreateLog(path string) (*Log, error) {
	l, _, err := OpenLog(path, func(int, []byte) (bool, error) { return false, nil })
	return l, err
}

// OpenLog opens a log to go on with it; a file that does not exist is an empty
// one. The file is cut off at the first line that keep, which gets the lines
// without their end and counts them from 0, does not want, and at a last line
// that a kill left without its end. nil keeps all whole lines. kept is the number
// of lines that stay. An error of keep leaves the file alone. The cause of the
// error is ErrLocked if another run has the log open.
func OpenLog(path string, keep func(number int, line []byte) (bool, error)) (l *Log, kept int, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := tryLock(f); errors.Is(err, ErrLocked) {
		return nil, 0, errors.WithMessage(err, path)
	}
	size, kept, err := wanted(f, keep)
	if err != nil {
		return nil, 0, errors.WithMessagef(err, "%s: line %d", path, kept+1)
	}
	if info, err := f.Stat(); err != nil {
		return nil, 0, err
	} else if info.Mode().IsRegular() && info.Size() > size {
		if err := f.Truncate(size); err != nil {
			return nil, 0, err
		}
	}
	return &Log{f, bufio.NewWriter(f)}, kept, nil
}

// wanted is the number of bytes and lines that stay.
func wanted(f io.Reader, keep func(int, []byte) (bool, error)) (size int64, lines int, err error) {
	for r := bufio.NewReader(f); ; lines++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return size, lines, nil
		}
		if err != nil {
			return size, lines, err
		}
		if keep != nil {
			if ok, err := keep(lines, line[:len(line)-1]); err != nil || !ok {
				return size, lines, err
			}
		}
		size += int64(len(line))
	}
}

// Name is the file's path.
func (l *Log) Name() string { return l.f.Name() }

// Stat describes the file, without what is still in the buffer.
func (l *Log) Stat() (os.FileInfo, error) { return l.f.Stat() }

// Write appends to the buffer.
func (l *Log) Write(p []byte) (int, error) { return l.w.Write(p) }

// FlushBuffer empties the buffer, so that other programs can read what was written. Only
// Flush brings it to the disk.
func (l *Log) FlushBuffer() error { return l.w.Flush() }

// Flush brings everything to the disk.
func (l *Log) Flush() error {
	if err := l.w.Flush(); err != nil {
		return err
	}
	err := l.f.Sync()
	if info, statErr := l.f.Stat(); statErr == nil && !info.Mode().IsRegular() {
		return nil // a device or pipe has no disk
	}
	return err
}

// Close flushes and closes the file, also when flushing fails.
func (l *Log) Close() error {
	err := l.Flush()
	if closeErr := l.f.Close(); err == nil {
		err = closeErr
	}
	return err
}
