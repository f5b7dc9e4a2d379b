//go:build !unix && !windows

package dnn

import "github.com/pkg/errors"

func openLibrary(string) (uintptr, error) {
	return 0, errors.New("shared libraries cannot be opened on this system")
}

func symbol(uintptr, string) (uintptr, error) { return 0, errors.New("no symbols") }
