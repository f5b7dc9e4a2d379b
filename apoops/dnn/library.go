package dnn

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ebitengine/purego"
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/internal/openmp"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Env is the environment variable that chooses the library: off, auto (as when
// it is empty: the first one found), or the path of a shared library.
const Env = "APO_DNN"

// files are oneDNN's names, those of Debian, Homebrew and Windows.
var files = []string{
	"libdnnl.so.2", "libdnnl.so",
	"libdnnl.2.dylib", "/opt/homebrew/lib/libdnnl.2.dylib", "/usr/local/lib/libdnnl.2.dylib",
	"dnnl.dll",
}

// library is an opened oneDNN.
type library struct {
	name   string
	engine uintptr
	functions
}

type choice struct {
	lib *library
	err error
}

var wanted atomic.Bool

var selected = sync.OnceValue(func() choice {
	wanted.Store(true)
	lib, err := load(os.Getenv(Env))
	return choice{lib, errors.WithMessage(err, "dnn")}
})

// Library returns the name of the library in use, such as "onednn 2.6.3
// (libdnnl.so.2)", or an error that says why there is none.
func Library() (name string, err error) {
	c := selected()
	if c.err != nil {
		return "", c.err
	}
	return c.lib.name, nil
}

// Check returns an error if Env has an unknown value or names a file that is not a
// library of a known version. It is no error if no library is found.
func Check() error {
	switch strings.TrimSpace(os.Getenv(Env)) {
	case "", "auto", "off":
		return nil
	}
	return selected().err
}

// Wanted reports whether the library has been used: before that no result depends on
// it.
func Wanted() bool { return wanted.Load() }

// Describe names what the bits of results depend on: the version of the library
// and the instructions that it works with, "none" where there is no library.
func Describe() string {
	c := selected()
	if c.err != nil {
		return "none"
	}
	v := c.lib.version()
	return fmt.Sprintf("%v for the instruction set %#x", v, c.lib.instructionSet())
}

func load(want string) (*library, error) {
	want = strings.TrimSpace(want)
	switch {
	case want == "off":
		return nil, errors.Errorf("%s=off", Env)
	case want == "" || want == "auto":
		var last error
		for _, file := range files {
			lib, err := open(file)
			if err == nil {
				return lib, nil
			}
			if last == nil || !errors.Is(err, errAbsent) {
				last = err
			}
		}
		return nil, last
	case strings.ContainsRune(want, filepath.Separator):
		lib, err := open(want)
		return lib, errors.WithMessagef(err, "%s=%s", Env, want)
	}
	return nil, errors.Errorf("%s=%s is none of off, auto or a path", Env, want)
}

var errAbsent = errors.New("the library could not be opened")

// open opens a file, checks that it is a version whose interface is known, and
// creates the engine of the processor.
func open(file string) (*library, error) {
	handle, err := openLibrary(file)
	if err != nil {
		return nil, errors.Wrapf(errAbsent, "%s: %v", file, err)
	}
	lib := new(library)
	if address, err := symbol(handle, "dnnl_version"); err != nil {
		return nil, errors.Errorf("%s is not oneDNN: it has no dnnl_version", file)
	} else {
		purego.RegisterFunc(&lib.version, address)
	}
	v := lib.version()
	if v.major != 2 || v.minor < 6 {
		return nil, errors.Errorf("%s is oneDNN %v: its interface is not known, that of 2.6 and later 2.x is", file, v)
	}
	if err := lib.find(handle); err != nil {
		return nil, errors.Wrapf(err, "%s", file)
	}
	switch v.runtime {
	case runtimeSequential:
		lib.threads = openmp.Threads{}
	case runtimeOpenMP:
		if lib.threads.Get == 0 || lib.threads.Set == 0 {
			return nil, errors.Errorf("%s uses OpenMP, but omp_set_num_threads is not there", file)
		}
	default:
		return nil, errors.Errorf("%s was built for threads of another kind (%d) than OpenMP", file, v.runtime)
	}
	if err := failure("engine", lib.engineCreate(&lib.engine, engineCPU, 0)); err != nil {
		return nil, errors.WithMessage(err, file)
	}
	par.Foreign()
	lib.name = fmt.Sprintf("onednn %v (%s)", v, filepath.Base(file))
	return lib, nil
}
