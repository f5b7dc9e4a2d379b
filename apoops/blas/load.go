package blas

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// library is a BLAS by name with the file names it goes by.
type library struct {
	name  string
	files []string
}

// libraries in order of preference. All have 32-bit integers under these
// names.
var libraries = []library{
	{"openblas", []string{
		"libopenblas.so.0", "libopenblas.so",
		"libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib", "/usr/local/opt/openblas/lib/libopenblas.dylib",
		"libopenblas.dll",
	}},
	{"mkl", []string{"libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so", "libmkl_rt.dylib", "mkl_rt.2.dll", "mkl_rt.dll"}},
	{"blis", []string{"libblis.so.4", "libblis.so.3", "libblis.so.2", "libblis.so", "libblis.dylib"}},
	{"accelerate", []string{"/System/Library/Frameworks/Accelerate.framework/Accelerate"}},
}

func load() choice {
	want := strings.TrimSpace(os.Getenv(Env))
	switch {
	case want == "gonum":
		return gonumOnly(nil)
	case want == ownName:
		return ownProducts(nil)
	case want == "" || want == "auto":
		for _, l := range libraries {
			if c, err := l.open(); err == nil {
				return c.withOwn()
			}
		}
		return noLibrary(nil)
	case strings.ContainsRune(want, filepath.Separator):
		c, err := library{name: filepath.Base(want), files: []string{want}}.open()
		if err != nil {
			return noLibrary(errors.Wrapf(err, "%s=%s", Env, want))
		}
		return c
	}
	for _, l := range libraries {
		if l.name == want {
			c, err := l.open()
			if err != nil {
				return noLibrary(errors.Wrapf(err, "%s=%s", Env, want))
			}
			return c
		}
	}
	return noLibrary(errors.Errorf("%s=%s is none of auto, apo, gonum, openblas, mkl, blis, accelerate or a path", Env, want))
}

// open tries the library's file names in turn.
func (l library) open() (choice, error) {
	err := errors.Errorf("no file name of %s is known for this system", l.name)
	for _, file := range l.files {
		var f foreign
		if f, err = openForeign(file); err == nil {
			par.Foreign()
			return choice{impl: f, library: l.name + " (" + filepath.Base(file) + ")"}, nil
		}
	}
	return choice{}, err
}
