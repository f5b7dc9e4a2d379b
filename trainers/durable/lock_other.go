//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package durable

import (
	"os"

	"github.com/pkg/errors"
)

var errNoLocks = errors.New("durable: no locks on this system")

func lock(*os.File) error    { return errNoLocks }
func tryLock(*os.File) error { return errNoLocks }
