package mpi

import (
	"os"
	"strings"

	"github.com/pkg/errors"
)

// kind is the binary interface of a library.
type kind int

const (
	unknown kind = iota
	openMPI
	mpich
)

// names are those of Env, files what the libraries go by.
var (
	names = map[string]kind{"openmpi": openMPI, "mpich": mpich}
	files = map[kind][]string{
		openMPI: {"libmpi.so.40", "libmpi.so", "libmpi.40.dylib", "libmpi.dylib", "/opt/homebrew/lib/libmpi.dylib", "/usr/local/lib/libmpi.dylib"},
		mpich:   {"libmpich.so.12", "libmpi.so.12", "libmpich.so", "libmpi.so", "libmpi.12.dylib", "/opt/homebrew/lib/libmpi.dylib", "/usr/local/lib/libmpi.dylib"},
	}
)

// find opens the library that Env or the launcher asks for.
func find(l launcher) (*library, error) {
	want := strings.TrimSpace(os.Getenv(Env))
	if want == "" || want == "auto" {
		lib, err := openKind(l.kind)
		return lib, errors.WithMessagef(err, "mpi: this process was started by %s, but no library of MPI could be opened (%s=off does without)", l.name, Env)
	}
	if k, ok := names[want]; ok {
		lib, err := openKind(k)
		return lib, errors.WithMessagef(err, "mpi: %s=%s", Env, want)
	}
	if !strings.ContainsRune(want, os.PathSeparator) {
		return nil, errors.Errorf("mpi: %s=%s is none of auto, off, openmpi, mpich or a path", Env, want)
	}
	lib, err := openFile(want)
	return lib, errors.WithMessagef(err, "mpi: %s=%s", Env, want)
}

// openKind opens the first library of a kind, or of any if it is unknown.
func openKind(k kind) (lib *library, err error) {
	if k == unknown {
		if lib, err = openKind(openMPI); err == nil {
			return lib, nil
		}
		k = mpich
	}
	err = errors.New("no file name of it is known for this system")
	for _, file := range files[k] {
		var one error
		lib, one = openFile(file)
		if one == nil && lib.kind == k {
			return lib, nil
		}
		if one != nil {
			err = one
		}
	}
	return nil, err
}

// library is one that is open: its functions and what it calls communicators, types and
// operations. In Open MPI these are addresses, in MPICH integers.
type library struct {
	kind                                                       kind
	initThread, finalize, abort, rank, size                    uintptr
	allreduce, bcast, ibarrier, test, setErrhandler, errorText uintptr
	world, float, double, octet, sum, errorsReturn             uintptr
	inPlace, statusIgnore                                      uintptr
}

func openFile(file string) (*library, error) {
	handle, err := openLibrary(file)
	if err != nil {
		return nil, errors.Wrapf(err, "opening %s", file)
	}
	l := &library{}
	for name, f := range map[string]*uintptr{
		"MPI_Init_thread": &l.initThread, "MPI_Finalize": &l.finalize, "MPI_Abort": &l.abort, "MPI_Comm_rank": &l.rank, "MPI_Comm_size": &l.size,
		"MPI_Allreduce": &l.allreduce, "MPI_Bcast": &l.bcast, "MPI_Ibarrier": &l.ibarrier, "MPI_Test": &l.test,
		"MPI_Comm_set_errhandler": &l.setErrhandler, "MPI_Error_string": &l.errorText,
	} {
		if *f, err = symbol(handle, name); err != nil {
			return nil, errors.Wrapf(err, "%s", file)
		}
	}
	if _, err := symbol(handle, "ompi_mpi_comm_world"); err != nil {
		l.setMPICH()
		return l, nil
	}
	return l, errors.Wrapf(l.setOpenMPI(handle), "%s", file)
}

// setOpenMPI takes the addresses of the predefined objects.
func (l *library) setOpenMPI(handle uintptr) (err error) {
	l.kind, l.inPlace, l.statusIgnore = openMPI, 1, 0
	for name, object := range map[string]*uintptr{
		"ompi_mpi_comm_world": &l.world, "ompi_mpi_float": &l.float, "ompi_mpi_double": &l.double, "ompi_mpi_byte": &l.octet,
		"ompi_mpi_op_sum": &l.sum, "ompi_mpi_errors_return": &l.errorsReturn,
	} {
		if *object, err = symbol(handle, name); err != nil {
			return err
		}
	}
	return nil
}

// setMPICH takes the integers of the interface that MPICH and those compatible with it
// have promised not to change.
func (l *library) setMPICH() {
	l.kind, l.inPlace, l.statusIgnore = mpich, ^uintptr(0), 1
	l.world, l.float, l.double, l.octet = 0x44000000, 0x4c00040a, 0x4c00080b, 0x4c00010d
	l.sum, l.errorsReturn = 0x58000003, 0x54000001
}
