package mpi

import (
	"os"
	"strconv"
)

// Env is the environment variable that chooses the library: openmpi, mpich, the path of
// a shared library, or off. Empty or "auto" takes that of the launcher.
const Env = "APO_MPI"

// launcher is what started this process with others.
type launcher struct {
	name string
	kind kind // of the library, unknown where the launcher serves several
	size int  // processes, 0 where it does not say
}

// launchers are variables that launchers set, the surest first.
var launchers = []struct {
	variable, size string
	launcher
}{
	{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", launcher{name: "Open MPI's mpirun", kind: openMPI}},
	{"PMI_RANK", "PMI_SIZE", launcher{name: "MPICH's mpirun", kind: mpich}},
	{"PMIX_RANK", "SLURM_STEP_NUM_TASKS", launcher{name: "a launcher with PMIx"}},
}

// launched is what started this process, with ok false if that is no launcher of MPI.
func launched() (l launcher, ok bool) {
	for _, k := range launchers {
		if os.Getenv(k.variable) == "" {
			continue
		}
		l = k.launcher
		l.size, _ = strconv.Atoi(os.Getenv(k.size))
		return l, true
	}
	return launcher{}, false
}
